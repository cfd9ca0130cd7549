// SPDX-License-Identifier: Apache-2.0
import type { Driver, DriverTools } from "./driver.js";

/** Commands of the floppy controller with the number of their parameters (82077AA, 5.1), and its DMA channel. */
const FLOPPY: readonly (readonly [number, number])[] = [
  [0x03, 2],
  [0x04, 1],
  [0x06, 8],
  [0x05, 8],
  [0x07, 1],
  [0x08, 0],
  [0x0a, 1],
  [0x0d, 5],
  [0x0e, 0],
  [0x0f, 2],
  [0x10, 0],
  [0x12, 1],
  [0x13, 3],
];

export class FloppyDriver implements Driver {
  constructor(private readonly tools: DriverTools) {}

  start(): void {
    const { ports } = this.tools;
    ports.write(0x3f2, 1, 0);
    ports.write(0x3f2, 1, 0x1c);
  }

  request(): void {
    const { ports, values } = this.tools;
    this.programDma();
    const [command, parameters] = values.pick(FLOPPY);
    ports.write(0x3f5, 1, command | (values.chance(2) ? 0x40 : 0) | (values.chance(4) ? 0x80 : 0));
    // Drive, cylinder, head, sector, size, last sector, gap, length.
    const usual = [values.below(4), 0, 0, 1 + values.below(18), 2, 18, 27, 255];
    for (let i = 0; i < parameters; i++) ports.write(0x3f5, 1, values.chance(8) ? values.below(256) : (usual[i] ?? 0));
    for (let i = 0; i < 7; i++) if (values.chance(2)) ports.read(0x3f5, 1);
  }

  /** Channel 2 of the 8237: address, count, page, mode. */
  private programDma(): void {
    const { ports, values } = this.tools;
    ports.write(0x0c, 1, 0);
    const page = values.page();
    for (const byte of [page & 0xff, (page >> 8) & 0xff]) ports.write(0x04, 1, byte);
    for (const byte of [values.below(256), values.below(64)]) ports.write(0x05, 1, byte);
    ports.write(0x81, 1, values.chance(8) ? values.below(256) : page >> 16);
    ports.write(0x0b, 1, values.chance(8) ? values.below(256) : 0x42 | (values.below(3) << 2));
    ports.write(0x0a, 1, 2);
  }
}
