// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { type GuestSymbol, SymbolTable } from "./symbol-table.js";

/** `ffffffff81000000 T _text`, and for modules `ffffffffc0001000 t init [name]`. */
const LINE = /^([0-9a-f]{8,16}) ([A-Za-z?]) (\S+)(?:\s+(\[\S+\]))?\s*$/;

/** What System.map holds in packages whose real symbols are in a package of their own. */
const PLACEHOLDER = /The real System\.map is in/;

/**
 * Reads the symbols of a Linux kernel from the text of System.map or /proc/kallsyms. `file` names it in messages. Throws
 * OperatorError `no-symbols` if there are none in it.
 */
export function parseSymbolMap(text: string, file: string): SymbolTable {
  if (PLACEHOLDER.test(text.slice(0, 200)))
    throw new OperatorError(
      "no-symbols",
      `${file} only says that the symbols are in another package; leave it out, and they are read from the guest's memory`,
    );
  const symbols: GuestSymbol[] = [];
  let zeros = 0;
  for (const line of text.split("\n")) {
    const found = LINE.exec(line);
    if (found === null) continue;
    const [, address = "", type = "", name = "", module = ""] = found;
    const value = BigInt(`0x${address}`);
    if (value === 0n) zeros++;
    // Absolute symbols are offsets in per-CPU data; code is T, t, W or w.
    if (value === 0n || type === "A" || type === "a") continue;
    const label = module === "" ? name : `${name} ${module}`;
    symbols.push({ address: value, name: label, size: 0n, code: /[tw]/i.test(type) });
  }
  if (symbols.length > 0) return new SymbolTable(symbols);
  throw new OperatorError(
    "no-symbols",
    zeros > 0
      ? `${file}: all addresses are 0; read /proc/kallsyms as root, with kernel.kptr_restrict=0`
      : `${file} is neither an ELF file nor a list of symbols such as System.map or /proc/kallsyms`,
  );
}
