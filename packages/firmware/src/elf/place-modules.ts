// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import { type BootFile, memoryTooSmall } from "../boot-image.js";
import { BOOT_STRINGS, BOOT_STRINGS_END, HIGH_MEMORY } from "../low-memory.js";
import { cString } from "../text.js";

export interface PlacedModule {
  readonly start: number;
  readonly end: number;
  /** Address of the module's zero-terminated name. */
  readonly nameAddress: number;
}

const PAGE = 4096;
/** So that every list that describes modules stays inside its page of low memory. */
const MAX_MODULES = 64;

/** Hands out room for zero-terminated strings in low memory. */
export class StringArea {
  private next = BOOT_STRINGS;

  constructor(private readonly ram: GuestRam) {}

  /** Writes `text` and returns its address. */
  place(text: string): number {
    const bytes = cString(text);
    const at = this.next;
    if (at + bytes.length > BOOT_STRINGS_END)
      throw new OperatorError(
        "bad-command-line",
        "command line and module names together exceed 128 KiB; shorten them",
      );
    this.ram.write(at, bytes);
    this.next += bytes.length;
    return at;
  }
}

/** Loads modules one after the other on page boundaries behind the kernel, which ends at `kernelEnd`. */
export function placeModules(
  ram: GuestRam,
  modules: readonly BootFile[],
  kernelEnd: number,
  strings: StringArea,
): PlacedModule[] {
  if (modules.length > MAX_MODULES)
    throw new OperatorError(
      "too-many-modules",
      `${modules.length} modules were given; at most ${MAX_MODULES} can be loaded`,
    );
  let next = Math.max(kernelEnd, HIGH_MEMORY);
  return modules.map((module) => {
    const start = Math.ceil(next / PAGE) * PAGE;
    const end = start + module.bytes.length;
    if (end > ram.lowSize) throw memoryTooSmall(`the kernel with ${module.name}`, end);
    ram.write(start, module.bytes);
    next = end;
    return { start, end, nameAddress: strings.place(module.name) };
  });
}
