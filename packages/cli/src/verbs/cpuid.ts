// SPDX-License-Identifier: Apache-2.0
import { type CpuidContext, cpuidLeaf, type CpuidResult } from "@isola/isa-x86";
import { parseInteger } from "../size.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

const LEAVES: readonly (readonly [leaf: number, subleaves: number])[] = [
  [0x0, 1],
  [0x1, 1],
  [0x2, 1],
  [0x4, 4],
  [0x6, 1],
  [0x7, 3],
  [0xb, 3],
  [0xd, 3],
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

/** A feature bit: leaf, register (0 EAX to 3 EDX), bit. */
type Feature = readonly [leaf: number, register: number, bit: number];

/** Levels of the x86-64 psABI: what each needs beyond the one before. The first has no more than CMPXCHG8B to SSE2. */
const LEVELS: readonly { readonly name: string; readonly features: { readonly [name: string]: Feature } }[] = [
  {
    name: "x86-64-v1",
    features: { CX8: [1, 3, 8], CMOV: [1, 3, 15], FXSR: [1, 3, 24], SSE: [1, 3, 25], SSE2: [1, 3, 26] },
  },
  {
    name: "x86-64-v2",
    features: {
      SSE3: [1, 2, 0],
      SSSE3: [1, 2, 9],
      CX16: [1, 2, 13],
      "SSE4.1": [1, 2, 19],
      "SSE4.2": [1, 2, 20],
      POPCNT: [1, 2, 23],
      LAHF: [0x8000_0001, 2, 0],
    },
  },
  {
    name: "x86-64-v3",
    features: {
      FMA: [1, 2, 12],
      MOVBE: [1, 2, 22],
      OSXSAVE: [1, 2, 27],
      AVX: [1, 2, 28],
      F16C: [1, 2, 29],
      BMI1: [7, 1, 3],
      AVX2: [7, 1, 5],
      BMI2: [7, 1, 8],
      LZCNT: [0x8000_0001, 2, 5],
    },
  },
];
const MAX_CPUS = 255;
const CR4_OSXSAVE = 1n << 18n;
const XCR0_X87_SSE_AVX = 7n;

function textOf(results: readonly CpuidResult[], order: readonly number[]): string {
  const words = results.flatMap((result) => order.map((register) => result[register] ?? 0));
  const bytes = Buffer.from(new Uint32Array(words).buffer);
  return bytes.toString("latin1").replaceAll("\0", "").trim();
}

/** The highest level that the processor reaches, and what it lacks for the next. */
function levelText(context: CpuidContext): string {
  let reached = "none";
  for (const { name, features } of LEVELS) {
    const missing = Object.entries(features)
      .filter(([, [leaf, register, bit]]) => ((cpuidLeaf(leaf, 0, context)[register] ?? 0) & (1 << bit)) === 0)
      .map(([feature]) => feature);
    if (missing.length > 0) return `${reached} (${name} needs ${missing.join(" ")})`;
    reached = name;
  }
  return reached;
}

export const cpuid: Verb = {
  name: "cpuid",
  synopsis: "[--cpus COUNT]",
  summary: "show what the virtual processor says of itself",
  options: { cpus: { value: "COUNT", help: "as seen in a machine with this many vCPUs (default 1)" } },
  async run(line) {
    if (line.positionals.length > 0) throw new UsageError("cpuid takes no arguments");
    const context: CpuidContext = {
      apicId: 0,
      cpuCount: parseInteger(line.get("cpus") ?? "1", "--cpus", 1, MAX_CPUS),
      apicEnabled: true,
      // As an operating system sees it that has enabled what there is.
      cr4: CR4_OSXSAVE,
      xcr0: XCR0_X87_SSE_AVX,
      time: { frequency: 1e9, apicTimerFrequency: 1e9 },
    };
    const brand = [0x8000_0002, 0x8000_0003, 0x8000_0004].map((leaf) => cpuidLeaf(leaf, 0, context));
    let text = `vendor  ${textOf([cpuidLeaf(0, 0, context)], [1, 3, 2])}\n`;
    text += `brand   ${textOf(brand, [0, 1, 2, 3])}\nlevel   ${levelText(context)}\n\n`;
    text += "leaf     sub  eax      ebx      ecx      edx\n";
    for (const [leaf, subleaves] of LEAVES)
      for (let subleaf = 0; subleaf < subleaves; subleaf++) {
        const cells = cpuidLeaf(leaf, subleaf, context).map((value) => (value >>> 0).toString(16).padStart(8, "0"));
        text += `${leaf.toString(16).padStart(8, "0")} ${String(subleaf).padStart(3)}  ${cells.join(" ")}\n`;
      }
    process.stdout.write(text);
    return 0;
  },
};
