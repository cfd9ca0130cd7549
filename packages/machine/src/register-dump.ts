// SPDX-License-Identifier: Apache-2.0
import type { CpuField, CpuState, Helpers } from "@isola/isa-x86";

const GPR_NAMES = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
const SEGMENTS = ["cs", "ss", "ds", "es", "fs", "gs", "ldtr", "tr"] as const;
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [0, "CF"],
  [2, "PF"],
  [4, "AF"],
  [6, "ZF"],
  [7, "SF"],
  [8, "TF"],
  [9, "IF"],
  [10, "DF"],
  [11, "OF"],
  [14, "NT"],
  [16, "RF"],
  [17, "VM"],
  [18, "AC"],
];

const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, "0");

function flagNames(flags: number): string {
  return FLAG_NAMES.filter(([bit]) => (flags & (1 << bit)) !== 0)
    .map(([, name]) => name)
    .join(" ");
}

/** The architectural registers of a vCPU, in lines of at most 100 characters without a newline at the end. */
export function describeCpu(state: CpuState, helpers: Helpers): string {
  const lines: string[] = [];
  for (let i = 0; i < GPR_NAMES.length; i += 4) {
    const cells = GPR_NAMES.slice(i, i + 4).map((name, j) => `${name.padEnd(3)} ${hex(state.get64("gpr", i + j), 16)}`);
    lines.push(cells.join("  "));
  }
  const flags = helpers.readFlags(state.base) >>> 0;
  lines.push(
    `rip ${hex(state.get64("rip"), 16)}  rflags ${hex(flags, 8)} [${flagNames(flags)}]  cpl ${state.get("cpl")}`,
  );
  const control: readonly CpuField[] = ["cr0", "cr2", "cr3", "cr4", "efer"];
  lines.push(control.map((name) => `${name} ${hex(state.get64(name), name === "cr2" ? 16 : 8)}`).join("  "));
  for (const name of SEGMENTS) {
    const selector = hex(state.get(`${name}Sel`), 4);
    const base = hex(state.get64(`${name}Base`), 16);
    const limit = hex(state.get(`${name}Limit`), 8);
    lines.push(
      `${name.padEnd(4)} ${selector}  base ${base}  limit ${limit}  access ${hex(state.get(`${name}Attr`), 4)}`,
    );
  }
  for (const table of ["gdtr", "idtr"] as const)
    lines.push(
      `${table}       base ${hex(state.get64(`${table}Base`), 16)}  limit ${hex(state.get(`${table}Limit`), 8)}`,
    );
  return lines.join("\n");
}
