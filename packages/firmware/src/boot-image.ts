// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** A file to boot from, with the name under which messages mention it. */
export interface BootFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A kernel, the files that go with it, and its command line. */
export interface BootRequest {
  readonly kernel: BootFile;
  /** The initial RAM disk of Linux, or the modules of Multiboot and PVH. */
  readonly modules: readonly BootFile[];
  readonly commandLine: string;
  /** Guest-physical address of the ACPI root pointer, or 0 for none. */
  readonly rsdp: number;
}

/** The file cannot be booted; `reason` completes the sentence "<file> ...". */
export function notBootable(file: BootFile, reason: string): OperatorError {
  return new OperatorError("kernel-not-bootable", `${file.name} ${reason}`);
}

/** The file ends before something that its own header promises. */
export function truncated(file: BootFile, what: string, end: number): OperatorError {
  return new OperatorError(
    "kernel-truncated",
    `${file.name} is truncated: ${what} ends at byte ${end}, but the file has only ${file.bytes.length}; get it again`,
  );
}

/** The guest has not enough memory for what is to be booted. */
export function memoryTooSmall(what: string, needed: number): OperatorError {
  const mib = Math.ceil(needed / 0x10_0000);
  return new OperatorError("memory-too-small", `${what} needs at least ${mib} MiB of guest memory; give it more`);
}

/** Little-endian reads from a file; a read past its end is an {@link OperatorError} that names the file. */
export class FileReader {
  private readonly view: DataView;

  constructor(readonly file: BootFile) {
    this.view = new DataView(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength);
  }

  get size(): number {
    return this.file.bytes.length;
  }

  u8(at: number): number {
    this.need(at, 1);
    return this.view.getUint8(at);
  }

  u16(at: number): number {
    this.need(at, 2);
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    this.need(at, 4);
    return this.view.getUint32(at, true);
  }

  /** A 64-bit value; one of 2^53 or more, which no sound file has, loses low bits and fails range checks later. */
  u64(at: number): number {
    this.need(at, 8);
    return Number(this.view.getBigUint64(at, true));
  }

  /** A view of `[at, at + length)`; `what` names it if the file is too short. */
  slice(at: number, length: number, what: string): Uint8Array {
    this.need(at, length, what);
    return this.file.bytes.subarray(at, at + length);
  }

  private need(at: number, length: number, what = "its header"): void {
    if (at + length > this.size) throw truncated(this.file, what, at + length);
  }
}
