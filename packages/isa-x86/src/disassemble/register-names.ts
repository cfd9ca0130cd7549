// SPDX-License-Identifier: Apache-2.0

const OLD_64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const HIGH_BYTES = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];
const LOW_BYTES = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];

export const SEGMENT_NAMES: readonly string[] = ["es", "cs", "ss", "ds", "fs", "gs"];

/** Name of general register `index` in `size` bits; `rex`: the instruction has a REX (or VEX) prefix. */
export function gprName(index: number, size: number, rex: boolean): string {
  if (index >= 8) return `r${index}${{ 8: "b", 16: "w", 32: "d" }[size] ?? ""}`;
  switch (size) {
    case 8:
      return (rex ? LOW_BYTES : HIGH_BYTES)[index] ?? "?";
    case 16:
      return (OLD_64[index] ?? "?").slice(1);
    case 32:
      return `e${(OLD_64[index] ?? "?").slice(1)}`;
    default:
      return OLD_64[index] ?? "?";
  }
}
