// SPDX-License-Identifier: Apache-2.0
import { createRequire } from "node:module";
import type { MemoryReclaimer } from "@isola/ports";

/** Linux: pages of private anonymous memory are given back, and read as zeros from then on (madvise(2)). */
const MADV_DONTNEED = 4;
/** In which Linux counts; elsewhere nothing is given back. */
const PAGE_SIZE = 4096;
const C_LIBRARIES = ["libc.so.6", "libc.so"];

/** The part of `node:ffi` that is used here; it is experimental, and Node's type declarations do not have it. */
interface ForeignFunctions {
  readonly getRawPointer: (view: Uint8Array) => bigint;
  readonly dlopen: (
    library: string,
    functions: Record<string, { readonly arguments: readonly string[]; readonly return: string }>,
  ) => { readonly functions: Record<string, ((...values: readonly (bigint | number)[]) => number) | undefined> };
}

type Advise = (pointer: bigint, length: bigint, advice: number) => number;

/** Node says once that the module is experimental; that is nothing to the people who run machines. */
function loadQuietly(): ForeignFunctions {
  const emit = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return createRequire(import.meta.url)("node:ffi") as ForeignFunctions;
  } finally {
    process.emitWarning = emit;
  }
}

function openAdvise(ffi: ForeignFunctions): Advise | null {
  for (const library of C_LIBRARIES) {
    try {
      const signature = { arguments: ["u64", "u64", "i32"], return: "i32" };
      const advise = ffi.dlopen(library, { madvise: signature }).functions["madvise"];
      if (advise !== undefined) return advise;
    } catch {
      // Another C library has another name.
    }
  }
  return null;
}

/** Gives memory back to Linux by madvise(2); null where Node or the system has no way to do so. */
export function hostReclaimer(): MemoryReclaimer | null {
  if (process.platform !== "linux") return null;
  try {
    const ffi = loadQuietly();
    const advise = openAdvise(ffi);
    if (advise === null) return null;
    return (bytes) => {
      const pointer = ffi.getRawPointer(bytes);
      // Memory of another length than whole pages has neighbours that are still needed.
      if (pointer % BigInt(PAGE_SIZE) !== 0n || bytes.length % PAGE_SIZE !== 0) return false;
      // Memory that is shared with a file would come back as it was.
      bytes[0] = 1;
      return advise(pointer, BigInt(bytes.length), MADV_DONTNEED) === 0 && bytes[0] === 0;
    };
  } catch {
    return null;
  }
}
