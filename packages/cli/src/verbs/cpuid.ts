// SPDX-License-Identifier: Apache-2.0
import { type CpuidContext, cpuidLeaf } from "@isola/isa-x86";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

/** Leaves to show, with how many subleaves each has. */
const LEAVES: readonly (readonly [leaf: number, subleaves: number])[] = [
  [0x0, 1],
  [0x1, 1],
  [0x2, 1],
  [0x4, 4],
  [0x6, 1],
  [0x7, 1],
  [0xb, 2],
  [0x15, 1],
  [0x16, 1],
  [0x4000_0000, 1],
  [0x8000_0000, 1],
  [0x8000_0001, 1],
  [0x8000_0002, 1],
  [0x8000_0003, 1],
  [0x8000_0004, 1],
  [0x8000_0007, 1],
  [0x8000_0008, 1],
];

type Register = "eax" | "ebx" | "ecx" | "edx";
const REGISTERS: readonly Register[] = ["eax", "ebx", "ecx", "edx"];

/**
 * What each x86-64 level needs beyond the one before, as leaf, register and bit (x86-64 psABI, section 3.1.1). Level 1
 * is what every 64-bit processor has.
 */
const LEVELS: readonly (readonly [leaf: number, register: Register, bits: readonly number[]])[][] = [
  [
    [0x1, "ecx", [0, 9, 13, 19, 20, 23]],
    [0x8000_0001, "ecx", [0]],
  ],
  [
    [0x1, "ecx", [12, 22, 27, 28, 29]],
    [0x7, "ebx", [3, 5, 8]],
    [0x8000_0001, "ecx", [5]],
  ],
];

function level(context: CpuidContext): number {
  const has = (leaf: number, register: Register, bits: readonly number[]): boolean => {
    const word = cpuidLeaf(leaf, 0, context)[REGISTERS.indexOf(register)] ?? 0;
    return bits.every((bit) => ((word >>> bit) & 1) === 1);
  };
  let reached = 1;
  for (const needs of LEVELS) {
    if (!needs.every(([leaf, register, bits]) => has(leaf, register, bits))) break;
    reached++;
  }
  return reached;
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

export const cpuid: Verb = {
  name: "cpuid",
  synopsis: "[--cpus N]",
  summary: "show what CPUID tells a guest",
  options: { cpus: { value: "N", help: "vCPUs of the machine (1 unless given)" } },
  async run(line) {
    if (line.positionals.length > 0) throw new UsageError("cpuid takes no operands");
    const cpuCount = Number(line.get("cpus") ?? "1");
    if (!Number.isInteger(cpuCount) || cpuCount < 1 || cpuCount > 8) throw new UsageError("--cpus takes a number from 1 to 8");
    const clock = { frequency: 1_000_000_000, apicTimerFrequency: 1_000_000_000 };
    const context: CpuidContext = { apicId: 0, cpuCount, apicEnabled: true, time: clock };
    process.stdout.write("leaf      sub  eax      ebx      ecx      edx\n");
    for (const [leaf, subleaves] of LEAVES)
      for (let subleaf = 0; subleaf < subleaves; subleaf++) {
        const words = cpuidLeaf(leaf, subleaf, context).map(hex).join(" ");
        process.stdout.write(`${hex(leaf)}  ${String(subleaf).padEnd(3)}  ${words}\n`);
      }
    process.stdout.write(`level x86-64-v${level(context)}\n`);
    return 0;
  },
};
