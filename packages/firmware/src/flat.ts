// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import { type BootFile, memoryTooSmall } from "./boot-image.js";
import type { BootState } from "./boot-state.js";
import { longModeEntry, protectedModeEntry, realModeEntry } from "./entry-state.js";
import { checkLoadRange } from "./elf/load-segments.js";

/** Processor mode in which a flat binary is entered at its first byte. */
export type FlatMode = "real" | "protected" | "long";

const REAL_MODE_END = 0x10_0000;

/**
 * Copies a raw binary to `address` and enters it there. In real mode a binary below 64 KiB runs with CS = 0, like a
 * boot sector. The other modes start as 32-bit and 64-bit Linux do, with a GDT (and page tables) in low memory.
 */
export function loadFlatBinary(ram: GuestRam, file: BootFile, address: number, mode: FlatMode): BootState {
  if (file.bytes.length === 0) throw new OperatorError("kernel-not-bootable", `${file.name} is empty`);
  if (mode === "real") {
    if (address + file.bytes.length > REAL_MODE_END)
      throw new OperatorError(
        "bad-load-address",
        `${file.name} does not fit below 1 MiB, where real mode can reach it`,
      );
    if (!ram.write(address, file.bytes)) throw memoryTooSmall(file.name, address + file.bytes.length);
    const segment = address < 0x1_0000 ? 0 : Math.floor(address / 16);
    return realModeEntry(segment, address - segment * 16, { rsp: 0x7000 });
  }
  checkLoadRange(ram, file, address, file.bytes.length);
  ram.write(address, file.bytes);
  return mode === "long" ? longModeEntry(ram, address, {}) : protectedModeEntry(ram, address, {});
}
