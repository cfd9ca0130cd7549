// SPDX-License-Identifier: Apache-2.0

/** Bits of one CPUID register, from their numbers. */
function bits(...numbers: readonly number[]): number {
  return numbers.reduce((word, bit) => word | (1 << bit), 0) >>> 0;
}

/**
 * Family 6, model 0x3F, stepping 2: a Haswell server processor, the first with these instructions, which software that
 * chooses by model (BLAS libraries, compilers) knows well. It speculates, so systems look for its weaknesses: that there
 * are none is said by IA32_ARCH_CAPABILITIES.
 */
export const SIGNATURE = 0x0003_06f2;
export const VENDOR = "GenuineIntel";
/** Shown by /proc/cpuinfo; 47 characters at most. */
export const BRAND = "Isola Virtual CPU";
/** Leaf 0x40000000, 12 characters. */
export const HYPERVISOR = "ISOLAISOLA  ";
export const PHYSICAL_ADDRESS_BITS = 40;
export const LINEAR_ADDRESS_BITS = 48;

// Every feature below is implemented; what is missing (MONITOR, performance counters, AVX-512) must not be added here
// before it works.

/**
 * Leaf 1 ECX: SSE3 PCLMULQDQ SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 x2APIC MOVBE POPCNT TSC-deadline AES XSAVE AVX F16C RDRAND
 * hypervisor.
 */
export const LEAF1_ECX: number = bits(0, 1, 9, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31);
/** Leaf 1 ECX: a copy of CR4.OSXSAVE. */
export const LEAF1_ECX_OSXSAVE: number = bits(27);
/** FPU VME DE PSE TSC MSR PAE MCE CX8 SEP MTRR PGE MCA CMOV PAT PSE-36 CLFSH MMX FXSR SSE SSE2. */
export const LEAF1_EDX: number = bits(0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 19, 23, 24, 25, 26);
export const LEAF1_EDX_APIC: number = bits(9);
export const LEAF1_EDX_HTT: number = bits(28);
/** FSGSBASE TSC_ADJUST BMI1 AVX2 SMEP BMI2 ERMS INVPCID RDSEED ADX SMAP CLFLUSHOPT CLWB SHA. */
export const LEAF7_EBX: number = bits(0, 1, 3, 5, 7, 8, 9, 10, 18, 19, 20, 23, 24, 29);
/** VAES VPCLMULQDQ RDPID. */
export const LEAF7_ECX: number = bits(9, 10, 22);
/** IBRS and IBPB, STIBP, IA32_ARCH_CAPABILITIES. */
export const LEAF7_EDX: number = bits(26, 27, 29);
/** Leaf 7, subleaf 2: BHI_CTRL, in place of which systems would clear a branch history by software in every call. */
export const LEAF7_2_EDX: number = bits(4);
/** LAHF in 64-bit mode, LZCNT, PREFETCHW. */
export const EXTENDED1_ECX: number = bits(0, 5, 8);
/** SYSCALL NX 1-GiB pages RDTSCP 64-bit mode. */
export const EXTENDED1_EDX: number = bits(11, 20, 26, 27, 29);
/** Leaf 6: the APIC timer runs in all power states. */
export const LEAF6_EAX: number = bits(2);
/** State components that XCR0 may enable: x87, SSE, AVX. */
export const XCR0_COMPONENTS: number = bits(0, 1, 2);
/** Leaf 0xD, subleaf 1: XSAVEOPT, XSAVEC, XGETBV with ECX = 1. */
export const XSAVE_FEATURES: number = bits(0, 1, 2);
/** Leaf 0x80000007: invariant TSC. */
export const POWER_EDX: number = bits(8);
