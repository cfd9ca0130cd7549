// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import { type BootRequest, memoryTooSmall, notBootable } from "../boot-image.js";
import type { BootState } from "../boot-state.js";
import { longModeEntry, protectedModeEntry } from "../entry-state.js";
import { BOOT_STRINGS } from "../low-memory.js";
import type { MemoryRange } from "../memory-map.js";
import { cString } from "../text.js";
import { writeBootParams } from "./boot-params.js";
import { readSetupHeader, type SetupHeader } from "./setup-header.js";

/** The 64-bit entry point lies this far behind the load address (boot.rst, "64-bit BOOT PROTOCOL"). */
const ENTRY_64 = 0x200;
const PAGE = 4096;

function placeInitrd(ram: GuestRam, request: BootRequest, header: SetupHeader): { start: number; length: number } {
  const [initrd, ...more] = request.modules;
  if (initrd === undefined) return { start: 0, length: 0 };
  if (more.length > 0) throw new OperatorError("bad-initrd", "Linux takes one initial RAM disk; concatenate the files");
  const length = initrd.bytes.length;
  if (length === 0) throw new OperatorError("bad-initrd", `${initrd.name} is empty; give an initial RAM disk or none`);
  const top = Math.min(ram.lowSize, header.initrdAddressMax + 1);
  const start = Math.floor((top - length) / PAGE) * PAGE;
  if (start < header.memoryEnd)
    throw memoryTooSmall(`${request.kernel.name} with ${initrd.name}`, header.memoryEnd + length + PAGE);
  ram.write(start, initrd.bytes);
  return { start, length };
}

/**
 * Loads a bzImage as a boot loader would and returns the state in which to enter it: 64-bit mode if the kernel has
 * that entry point, else flat 32-bit mode. Throws OperatorError if kernel, initial RAM disk or command line do not fit.
 */
export function loadLinux(ram: GuestRam, request: BootRequest, memoryMap: readonly MemoryRange[]): BootState {
  const { kernel } = request;
  const header = readSetupHeader(kernel);
  if (header.memoryEnd > ram.lowSize) throw memoryTooSmall(kernel.name, header.memoryEnd);
  const commandLine = cString(request.commandLine);
  if (commandLine.length - 1 > header.commandLineSize)
    throw notBootable(
      kernel,
      `takes a command line of at most ${header.commandLineSize} bytes, and this one has ${commandLine.length - 1}`,
    );
  ram.write(header.loadAddress, kernel.bytes.subarray(header.kernelOffset));
  ram.write(BOOT_STRINGS, commandLine);
  const params = writeBootParams(ram, {
    header,
    memoryMap,
    commandLineAddress: BOOT_STRINGS,
    initrd: placeInitrd(ram, request, header),
    rsdp: request.rsdp,
  });
  return header.has64BitEntry
    ? longModeEntry(ram, header.loadAddress + ENTRY_64, { rsi: params })
    : protectedModeEntry(ram, header.loadAddress, { rsi: params });
}
