// SPDX-License-Identifier: Apache-2.0

/** A picture of a screen, three bytes a pixel. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** What a kernel has said and shown. */
export interface KernelRun {
  serial: string;
  readonly pictures: Map<string, Pixels>;
  passed: boolean;
}

/**
 * The first difference between two pictures, or null. One may be smaller by whole factors, because it shows repeated lines
 * and doubled pixels once. The lower bits of colours do not count where `bits` is below 8: monitors get analogue levels,
 * and how a number of a few bits is spread over eight is a matter of taste.
 */
export function firstDifference(small: Pixels, large: Pixels, bits: number): string | null {
  const [across, down] = [large.width / small.width, large.height / small.height];
  if (!Number.isInteger(across) || !Number.isInteger(down))
    return `${small.width} by ${small.height} instead of ${large.width} by ${large.height}`;
  let count = 0;
  let first = "";
  for (let y = 0; y < large.height; y++)
    for (let x = 0; x < large.width; x++) {
      const from = 3 * (Math.floor(y / down) * small.width + Math.floor(x / across));
      const to = 3 * (y * large.width + x);
      const shift = 8 - bits;
      const same = [0, 1, 2].every((i) => (small.rgb[from + i] ?? 0) >> shift === (large.rgb[to + i] ?? 0) >> shift);
      if (same) continue;
      count++;
      if (first === "") {
        const show = (rgb: Uint8Array, at: number) => [...rgb.subarray(at, at + 3)].join(",");
        first = `${x},${y}: ${show(small.rgb, from)} instead of ${show(large.rgb, to)}`;
      }
    }
  return count === 0 ? null : `${count} of ${large.width * large.height} pixels differ; the first, ${first}`;
}
