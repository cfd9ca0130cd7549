// SPDX-License-Identifier: Apache-2.0
import { ATA, scsiCommand } from "./disk-commands.js";
import type { Driver, DriverTools } from "./driver.js";

/** Task files, packets and bus mastering of IDE. */
export class IdeDriver implements Driver {
  constructor(
    private readonly tools: DriverTools,
    private readonly busMaster: number,
  ) {}

  start(): void {}

  request(): void {
    const { ports, values, ram } = this.tools;
    const channel = values.below(2);
    const base = channel === 0 ? 0x1f0 : 0x170;
    const write = (register: number, value: number): void => ports.write(base + register, 1, value);
    const table = values.page();
    for (let i = 0; i < 4; i++) {
      ram.setU32(table + i * 8, values.chance(16) ? values.address(ram.size) : values.page());
      ram.setU32(table + i * 8 + 4, values.below(4096) | (i === 3 ? 0x8000_0000 : 0));
    }
    const master = this.busMaster + channel * 8;
    write(6, 0xe0 | (values.below(2) << 4));
    write(1, values.chance(2) ? 0 : values.below(8));
    write(2, values.chance(8) ? values.below(256) : values.below(4));
    for (const register of [3, 4, 5]) write(register, values.chance(2) ? 0 : values.below(256));
    const isPacket = values.chance(3);
    write(7, isPacket ? 0xa0 : values.chance(8) ? values.below(256) : values.pick(ATA));
    if (isPacket) {
      const packet = scsiCommand(values);
      for (let i = 0; i < 12; i += 2) ports.write(base, 2, (packet[i] ?? 0) | ((packet[i + 1] ?? 0) << 8));
    }
    if (values.chance(2)) {
      ports.write(master + 4, 4, table);
      ports.write(master, 1, 1 | (values.below(2) << 3));
    } else {
      for (let i = values.below(600); i > 0; i--) {
        if (values.chance(2)) ports.read(base, 2);
        else ports.write(base, 2, values.next() & 0xffff);
      }
    }
    ports.read(base + 7, 1);
    if (values.chance(2)) ports.write(master, 1, 0);
  }
}
