// SPDX-License-Identifier: Apache-2.0
import { TrapResult } from "../cpu/x86-cpu.js";
import { Gpr } from "../semantics/x86-emitter.js";
import * as feature from "./cpu-features.js";
import { Msr } from "./msr-number.js";
import type { ClockRates } from "./ports.js";
import type { Emulation } from "./trapped-instruction.js";

const MAX_BASIC = 0x16;
const MAX_EXTENDED = 0x8000_0008;
const HYPERVISOR_LEAF = 0x4000_0000;
const APIC_GLOBAL_ENABLE = 1 << 11;
const CR4_OSXSAVE = 1n << 18n;
const XCR0_AVX = 1n << 2n;
/** Where AVX state is in an XSAVE area, and its bytes. */
const AVX_OFFSET = 576;
const AVX_SIZE = 256;

/** EAX, EBX, ECX, EDX. */
export type CpuidResult = readonly [eax: number, ebx: number, ecx: number, edx: number];

const NOTHING: CpuidResult = [0, 0, 0, 0];

/** What the leaves say beyond the constants of cpu-features.ts. */
export interface CpuidContext {
  readonly apicId: number;
  readonly cpuCount: number;
  readonly apicEnabled: boolean;
  readonly cr4: bigint;
  readonly xcr0: bigint;
  readonly time: ClockRates;
}

/** Four characters, the first in the low byte. */
function word(text: string, at: number): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = (value << 8) | (at + i < text.length ? text.charCodeAt(at + i) : 0);
  return value >>> 0;
}

/** Result of CPUID for `leaf` and `subleaf` (SDM 2A CPUID). */
export function cpuidLeaf(leaf: number, subleaf: number, context: CpuidContext): CpuidResult {
  if (leaf >= HYPERVISOR_LEAF && leaf < HYPERVISOR_LEAF + 0x1_0000) return hypervisor(leaf);
  if (leaf >= 0x8000_0000 && leaf <= MAX_EXTENDED) return extended(leaf);
  // Leaves that do not exist read like the highest basic one.
  return basic(leaf <= MAX_BASIC ? leaf : MAX_BASIC, subleaf, context);
}

function basic(leaf: number, subleaf: number, context: CpuidContext): CpuidResult {
  const { VENDOR } = feature;
  switch (leaf) {
    case 0:
      return [MAX_BASIC, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 1:
      return versionAndFeatures(context);
    case 2:
      // Descriptor FF: caches are described by leaf 4.
      return [0x00ff_ff01, 0, 0, 0];
    case 4:
      return cache(subleaf, context);
    case 6:
      return [feature.LEAF6_EAX, 0, 0, 0];
    case 7:
      return structuredFeatures(subleaf);
    case 0xb:
      return topology(subleaf, context);
    case 0xd:
      return extendedState(subleaf, context);
    case 0x15:
      return timeStampRatio(context);
    case 0x16: {
      const megahertz = Math.round(context.time.frequency / 1e6) & 0xffff;
      return [megahertz, megahertz, 100, 0];
    }
    default:
      return NOTHING;
  }
}

function versionAndFeatures({ apicId, cpuCount, apicEnabled, cr4 }: CpuidContext): CpuidResult {
  const ebx = ((apicId & 0xff) << 24) | (roundUpToPower(cpuCount) << 16) | (8 << 8);
  let edx = feature.LEAF1_EDX;
  if (apicEnabled) edx |= feature.LEAF1_EDX_APIC;
  if (cpuCount > 1) edx |= feature.LEAF1_EDX_HTT;
  const ecx = feature.LEAF1_ECX | ((cr4 & CR4_OSXSAVE) !== 0n ? feature.LEAF1_ECX_OSXSAVE : 0);
  return [feature.SIGNATURE, ebx >>> 0, ecx >>> 0, edx >>> 0];
}

function roundUpToPower(count: number): number {
  return 1 << topologyShift(count);
}

/** Bits of the APIC id that number the cores of the one package. */
function topologyShift(cpuCount: number): number {
  return 32 - Math.clz32(cpuCount - 1);
}

/** Leaf 4: 32 KiB of data and of instructions, 1 MiB behind them; 64-byte lines. */
function cache(subleaf: number, { cpuCount }: CpuidContext): CpuidResult {
  const cores = ((roundUpToPower(cpuCount) - 1) & 0x3f) << 26;
  const line = (ways: number): number => ((ways - 1) << 22) | 63;
  switch (subleaf) {
    case 0:
      return [(cores | (1 << 8) | (1 << 5) | 1) >>> 0, line(8), 63, 0];
    case 1:
      return [(cores | (1 << 8) | (1 << 5) | 2) >>> 0, line(8), 63, 0];
    case 2:
      return [(cores | (1 << 8) | (2 << 5) | 3) >>> 0, line(16), 1023, 0];
    default:
      return NOTHING;
  }
}

/** Leaf 7; its subleaf 1 is empty. */
function structuredFeatures(subleaf: number): CpuidResult {
  switch (subleaf) {
    case 0:
      return [2, feature.LEAF7_EBX, feature.LEAF7_ECX, feature.LEAF7_EDX];
    case 2:
      return [0, 0, 0, feature.LEAF7_2_EDX];
    default:
      return NOTHING;
  }
}

/** Leaf 0xB: one thread a core, all cores in one package. */
function topology(subleaf: number, { apicId, cpuCount }: CpuidContext): CpuidResult {
  switch (subleaf) {
    case 0:
      return [0, 1, 0x100, apicId];
    case 1:
      return [topologyShift(cpuCount), cpuCount, 0x201, apicId];
    default:
      return [0, 0, subleaf & 0xff, apicId];
  }
}

/** Leaf 0xD: the XSAVE area (SDM 1, 13.2). Standard and compacted format have AVX state in the same place. */
function extendedState(subleaf: number, { xcr0 }: CpuidContext): CpuidResult {
  const current = (xcr0 & XCR0_AVX) !== 0n ? AVX_OFFSET + AVX_SIZE : AVX_OFFSET;
  switch (subleaf) {
    case 0:
      return [feature.XCR0_COMPONENTS, current, AVX_OFFSET + AVX_SIZE, 0];
    case 1:
      return [feature.XSAVE_FEATURES, current, 0, 0];
    case 2:
      return [AVX_SIZE, AVX_OFFSET, 0, 0];
    default:
      return NOTHING;
  }
}

/** Leaf 0x15: the crystal is the clock of the APIC timer, and TSC = crystal * EBX / EAX. */
function timeStampRatio({ time }: CpuidContext): CpuidResult {
  const tsc = Math.round(time.frequency);
  const crystal = Math.round(time.apicTimerFrequency);
  const divisor = greatestCommonDivisor(tsc, crystal);
  return [crystal / divisor, tsc / divisor, crystal, 0];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function hypervisor(leaf: number): CpuidResult {
  if (leaf !== HYPERVISOR_LEAF) return NOTHING;
  const { HYPERVISOR } = feature;
  return [HYPERVISOR_LEAF, word(HYPERVISOR, 0), word(HYPERVISOR, 4), word(HYPERVISOR, 8)];
}

function extended(leaf: number): CpuidResult {
  const { BRAND } = feature;
  switch (leaf) {
    case 0x8000_0000:
      return [MAX_EXTENDED, 0, 0, 0];
    case 0x8000_0001:
      return [0, 0, feature.EXTENDED1_ECX, feature.EXTENDED1_EDX];
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const at = (leaf - 0x8000_0002) * 16;
      return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)];
    }
    case 0x8000_0006:
      // 1 MiB, 16 ways (8 in the encoding of this leaf), 64-byte lines.
      return [0, 0, (1024 << 16) | (8 << 12) | 64, 0];
    case 0x8000_0007:
      return [0, 0, 0, feature.POWER_EDX];
    case 0x8000_0008:
      return [feature.PHYSICAL_ADDRESS_BITS | (feature.LINEAR_ADDRESS_BITS << 8), 0, 0, 0];
    default:
      return NOTHING;
  }
}

export const cpuid: Emulation = (insn) => {
  const { ports, state } = insn;
  const [eax, ebx, ecx, edx] = cpuidLeaf(insn.gpr32(Gpr.RAX), insn.gpr32(Gpr.RCX), {
    apicId: state.get("index"),
    cpuCount: ports.cpuCount,
    apicEnabled: (ports.apicRegisters.readMsr(Msr.ApicBase) & APIC_GLOBAL_ENABLE) !== 0,
    cr4: state.get64("cr4"),
    xcr0: state.get64("xcr0"),
    time: ports.time,
  });
  insn.setGpr32(Gpr.RAX, eax);
  insn.setGpr32(Gpr.RBX, ebx);
  insn.setGpr32(Gpr.RCX, ecx);
  insn.setGpr32(Gpr.RDX, edx);
  return TrapResult.Done;
};
