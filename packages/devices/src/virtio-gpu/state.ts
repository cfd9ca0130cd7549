// SPDX-License-Identifier: Apache-2.0
import type { BackingEntry } from "./resource.js";

export interface ResourceState {
  id: number;
  format: number;
  width: number;
  height: number;
  backing: BackingEntry[];
  /** See `packPixels`. */
  pixels: string;
}

/** What is shown. Resource 0 is none. */
export interface VirtioGpuState {
  readonly version: 1;
  /** Resource on the screen, and which part of it. */
  shown: number;
  area: { x: number; y: number; width: number; height: number };
  /** Resource of the cursor, the pixel of it that points, and where that is. */
  cursor: number;
  hot: { x: number; y: number };
  cursorAt: { x: number; y: number };
  resources: ResourceState[];
}

export function virtioGpuResetState(): VirtioGpuState {
  return {
    version: 1,
    shown: 0,
    area: { x: 0, y: 0, width: 0, height: 0 },
    cursor: 0,
    hot: { x: 0, y: 0 },
    cursorAt: { x: 0, y: 0 },
    resources: [],
  };
}

/** Pixels as text: runs of equal ones, each as its value and its length in base 36. */
export function packPixels(bytes: Uint8Array): string {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const runs: string[] = [];
  for (let at = 0; at < words.length;) {
    const value = words[at];
    let end = at + 1;
    while (end < words.length && words[end] === value) end++;
    runs.push(`${value.toString(36)}:${(end - at).toString(36)}`);
    at = end;
  }
  return runs.join(" ");
}

/** The inverse of {@link packPixels}; what does not fit is left out. */
export function unpackPixels(text: string, into: Uint8Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length / 4);
  let at = 0;
  for (const run of text === "" ? [] : text.split(" ")) {
    const [value = "0", length = "0"] = run.split(":");
    const end = at + parseInt(length, 36);
    words.fill(parseInt(value, 36), at, end);
    at = end;
  }
}
