// SPDX-License-Identifier: Apache-2.0
import { ATA, scsiCommand } from "./disk-commands.js";
import { MemoryDriver, QUEUE } from "./driver.js";

/** Command lists of AHCI (AHCI 1.3.1, 4.2 and 10.1.2). */
export class AhciDriver extends MemoryDriver {
  start(): void {
    this.write(0x04, 4, 0x8000_0002);
    for (let port = 0; port < 2; port++) {
      const at = 0x100 + port * 0x80;
      this.write(at, 4, QUEUE + port * 8192);
      this.write(at + 0x08, 4, QUEUE + port * 8192 + 4096);
      this.write(at + 0x30, 4, 0xffff_ffff);
      this.write(at + 0x14, 4, 0xffff_ffff);
      this.write(at + 0x18, 4, 0x17);
    }
  }

  request(): void {
    const { values, ram } = this;
    const port = values.below(2);
    const slot = values.below(4);
    const table = values.page();
    const packet = values.chance(2);
    const flags = values.chance(16) ? values.below(0x1_0000) : 5 | (packet ? 0x20 : 0) | (values.below(2) << 6);
    this.words(QUEUE + port * 8192 + slot * 32, flags | (values.below(5) << 16), 0, table, 0);
    const command = values.chance(8) ? values.below(256) : packet ? 0xa0 : values.pick(ATA);
    this.words(
      table,
      0x8027 | (command << 16),
      0x4000_0000 | values.below(64),
      values.below(2),
      values.below(16),
      slot,
    );
    scsiCommand(values).forEach((byte, i) => ram.setU8(table + 64 + i, byte));
    for (let i = 0; i < 4; i++) this.words(table + 128 + i * 16, this.buffer(), 0, 0, values.below(1024) | 1);
    const at = 0x100 + port * 0x80;
    if (values.chance(2)) this.write(at + 0x34, 4, 1 << slot);
    this.write(at + 0x38, 4, 1 << slot);
    if (values.chance(8)) {
      // Recovery from an error (6.2.2).
      this.write(at + 0x18, 4, 0x16);
      this.write(at + 0x18, 4, 0x17);
    }
  }
}
