// SPDX-License-Identifier: Apache-2.0
import { isElf, parseElfSymbols } from "./elf-symbols.js";
import { parseSymbolMap } from "./symbol-map.js";
import type { SymbolTable } from "./symbol-table.js";

/** Functions that every Linux kernel for x86 has, and no program. */
const KERNEL_MARKS = ["entry_SYSCALL_64", "entry_SYSENTER_32"];

/** Whether these are the symbols of a Linux kernel. */
export function isKernel(symbols: SymbolTable): boolean {
  return KERNEL_MARKS.some((name) => symbols.addressOf(name) !== undefined);
}

/**
 * Reads symbols from an ELF file, System.map or the text of /proc/kallsyms. `file` names it in messages. Throws
 * OperatorError `no-symbols` if it is none of them.
 */
export function loadSymbols(bytes: Uint8Array, file: string): SymbolTable {
  if (isElf(bytes)) return parseElfSymbols(bytes, file);
  // String.fromCharCode takes a bounded number of arguments; such files are a few MiB of ASCII.
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return parseSymbolMap(parts.join(""), file);
}

const CHUNK = 8192;
