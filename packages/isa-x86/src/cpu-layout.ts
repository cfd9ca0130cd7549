// SPDX-License-Identifier: Apache-2.0
import { defineLayout, type FieldSpec, type Layout } from "@isola/engine";

const segment = (name: string): { [key: string]: FieldSpec } => ({
  [`${name}Base`]: { type: "u64", doc: `${name.toUpperCase()} hidden base` },
  [`${name}Limit`]: { type: "u32", doc: `${name.toUpperCase()} hidden limit in bytes, granularity applied` },
  [`${name}Attr`]: {
    type: "u32",
    doc: `${name.toUpperCase()} access rights: bits 8-23 of the descriptor's second word, shifted to bit 0 (type, S, DPL, P, AVL, L, D/B, G); bit 16 = unusable`,
  },
  [`${name}Sel`]: { type: "u32", doc: `${name.toUpperCase()} visible selector` },
});

/**
 * The architectural state of one virtual CPU, and what the engine keeps beside it, as one record in linear memory.
 * Interpreter handlers, compiled regions, helpers, snapshots and the debugger all use these offsets.
 *
 * Arithmetic flags are kept lazily, so that an ALU operation costs two stores:
 * ```
 * flagRes (i64): the result, sign-extended to 64 bits     ZF = flagRes == 0
 * flagAux (i32): bit 31 CF, bit 30 = CF ^ OF              SF = (flagRes < 0) ^ aux.bit0
 *                bit 3  AF                                PF = even parity of (flagRes ^ aux >> 8) & 0xff
 *                bits 8-15, bit 0: corrections, zero after ALU operations, used when flags are loaded as a whole
 * ```
 */
const specs = {
  gpr: { type: "u64", count: 16, doc: "RAX RCX RDX RBX RSP RBP RSI RDI R8-R15" },
  zero: { type: "u64", doc: "always 0: the base or index of an address that has none" },
  effectiveAddress: { type: "u64", doc: "linear address left by an address record for the next record" },
  codeBase: { type: "u64", doc: "value of RIP at the start of the current code page: RIP = codeBase + offset in page" },
  flagRes: { type: "u64", doc: "see above" },
  flagAux: { type: "u32", doc: "see above" },
  flagKind: {
    type: "u32",
    doc: "0: the flags are in flagRes and flagAux; else what compiled code has stored below, see FlagStateBits",
  },
  flagA: { type: "u64", doc: "operands of the last operation, zero-extended" },
  flagB: { type: "u64", doc: "see flagA" },
  flagCarry: { type: "u32", doc: "CF, if flagKind says that it is kept apart" },
  flagOverflow: { type: "u32", doc: "OF, likewise" },
  eflags: { type: "u32", doc: "RFLAGS without CF PF AF ZF SF OF, bit 1 always set" },
  rip: { type: "u64", doc: "RIP of the next instruction; exact whenever the run loop holds control" },

  budget: { type: "u32", doc: "signed: instructions that may still retire before the run loop gets control" },
  event: {
    type: "u32",
    doc: "0; 0x80000000: the run loop must look for an interrupt or a request; 0xc0000000: for dead regions only",
  },
  interruptPending: {
    type: "u32",
    doc: "1 while an interrupt waits for RFLAGS.IF: whoever sets IF then sets the event word",
  },
  currentRecord: { type: "u32", doc: "record of the instruction that trapped or faulted" },
  fault: { type: "u32", doc: "0, or 1 + vector of the exception that a helper raised; 0x100 page absent" },
  faultError: { type: "u32", doc: "error code of that exception" },
  faultAddress: { type: "u64", doc: "linear address of a page fault, to be loaded into CR2" },
  exitReason: { type: "u32", doc: "why wasm code returned" },
  exitData: { type: "u32", count: 3, doc: "details of that" },

  hotThreshold: { type: "u32", doc: "entries of a block after which it is worth compiling; 0 = never" },
  modeKey: { type: "u32", doc: "everything outside the instruction bytes that decides how they decode; see mode.ts" },
  cpl: { type: "u32", doc: "current privilege level" },
  interruptShadow: { type: "u32", doc: "for one instruction: 1 after STI, 2 after MOV SS or POP SS; 0 = no shadow" },
  nmiBlocked: { type: "u32", doc: "1 between the delivery of an NMI and the next IRET" },
  debugPending: { type: "u32", doc: "bits of DR6 of the debug exception that is due" },
  stepRip: { type: "u64", doc: "address of the instruction being stepped" },
  stepTrap: { type: "u32", doc: "not 0 if EFLAGS.TF was set when the instruction being stepped began" },
  halted: { type: "u32", doc: "1 between HLT and the next interrupt" },
  tlbBase: { type: "u32", doc: "address of the soft TLB in use: user, supervisor, or supervisor with AC" },
  tlbKey: {
    type: "u64",
    doc: "address-space tag in bits 0-11 of the valid tags of the TLB in use; changes with tlbBase",
  },
  tlbArrays: {
    type: "u32",
    count: 4,
    doc: "the TLBs: 0 supervisor, 1 user, 2 supervisor with access to user pages, 3 never hits",
  },
  jumpCache: { type: "u32", doc: "address of the virtual-address jump cache" },
  jumpContext: { type: "u32", doc: "address space, mode and privilege as jump cache entries name them" },
  jumpEpoch: { type: "u32", doc: "part of jumpContext that grows when single translations are invalidated" },
  tlbLastKey: { type: "u32", doc: "the last address-space tag given out" },
  tlbPcids: { type: "u32", count: 16, doc: "tags by PCID: PCID in bits 0-11, tag in bits 12-23, bit 24 = in use" },
  tlbPcidNext: { type: "u32", doc: "the slot of tlbPcids to be replaced next" },
  stepping: { type: "u32", doc: "1 while the run loop executes exactly one instruction" },
  othersWait: { type: "u32", doc: "1 if other vCPUs share this one's thread, so that PAUSE gives it to them" },
  index: { type: "u32", doc: "number of this vCPU, also its APIC id" },

  cr0: { type: "u64", doc: "CR0" },
  cr2: { type: "u64", doc: "CR2" },
  cr3: { type: "u64", doc: "CR3" },
  cr4: { type: "u64", doc: "CR4" },
  efer: { type: "u64", doc: "IA32_EFER" },
  xcr0: { type: "u64", doc: "XCR0" },
  dr: { type: "u64", count: 8, doc: "DR0-DR7" },
  pdpte: { type: "u64", count: 4, doc: "PAE page-directory-pointer registers" },

  ...segment("es"),
  ...segment("cs"),
  ...segment("ss"),
  ...segment("ds"),
  ...segment("fs"),
  ...segment("gs"),
  ...segment("ldtr"),
  ...segment("tr"),
  gdtrBase: { type: "u64", doc: "GDTR base" },
  gdtrLimit: { type: "u32", doc: "GDTR limit" },
  idtrLimit: { type: "u32", doc: "IDTR limit" },
  idtrBase: { type: "u64", doc: "IDTR base" },

  star: { type: "u64", doc: "IA32_STAR" },
  lstar: { type: "u64", doc: "IA32_LSTAR" },
  cstar: { type: "u64", doc: "IA32_CSTAR" },
  sfmask: { type: "u64", doc: "IA32_FMASK" },
  kernelGsBase: { type: "u64", doc: "IA32_KERNEL_GS_BASE" },
  sysenterCs: { type: "u64", doc: "IA32_SYSENTER_CS" },
  sysenterEsp: { type: "u64", doc: "IA32_SYSENTER_ESP" },
  sysenterEip: { type: "u64", doc: "IA32_SYSENTER_EIP" },
  tscAux: { type: "u64", doc: "IA32_TSC_AUX" },
  tscOffset: { type: "u64", doc: "added to the machine's time-stamp counter" },
  pat: { type: "u64", doc: "IA32_PAT" },
  miscEnable: { type: "u64", doc: "IA32_MISC_ENABLE" },
  tscAdjust: { type: "u64", doc: "IA32_TSC_ADJUST" },
  mtrrDefType: { type: "u64", doc: "IA32_MTRR_DEF_TYPE" },
  mtrrFixed: { type: "u64", count: 11, doc: "fixed-range MTRRs: 64K, two of 16K, eight of 4K" },
  mtrrVariable: { type: "u64", count: 16, doc: "IA32_MTRR_PHYSBASE0, PHYSMASK0, PHYSBASE1, ..." },
  mcgStatus: { type: "u64", doc: "IA32_MCG_STATUS" },
  debugControl: { type: "u64", doc: "IA32_DEBUGCTL" },
  speculationControl: { type: "u64", doc: "IA32_SPEC_CTRL" },

  mxcsr: { type: "u32", doc: "MXCSR" },
  fcw: { type: "u16", doc: "x87 control word" },
  fsw: { type: "u16", doc: "x87 status word without TOP, which is in fpTop" },
  fpTop: { type: "u32", doc: "x87 TOP, 0-7" },
  fpTag: { type: "u8", doc: "x87 abridged tags as FXSAVE keeps them: bit i set = physical register i is not empty" },
  fpOpcode: { type: "u16", doc: "FOP" },
  fpIp: { type: "u64", doc: "FIP" },
  fpDp: { type: "u64", doc: "FDP" },
  fpCs: { type: "u16", doc: "FCS" },
  fpDs: { type: "u16", doc: "FDS" },
  fpr: {
    type: "v128",
    count: 8,
    doc: "physical x87 registers R0-R7: 64-bit significand, then sign and exponent; MM0-MM7 alias bits 0-63",
  },
  scratch: { type: "v128", count: 16, doc: "operands and results of helpers, one vector each 64 bytes", stride: 64 },
  vec: { type: "v128", count: 32, stride: 64, doc: "XMM/YMM/ZMM 0-31: 512 bits each" },

  jumpPages: { type: "u64", count: 128, doc: "filter of the pages that entries of the jump cache lie in" },
  tlbSpaceKey: { type: "u32", doc: "address-space tag of TLBs 1 and 2" },
  tlbSystemKey: { type: "u32", doc: "address-space tag of TLB 0, which outlives changes of CR3" },
  tlbSplit: {
    type: "u32",
    doc: "0 while TLB 0 has the tag of the others, since the guest's kernel does without global pages",
  },
  tlbLocalCount: { type: "u32", doc: "entries of TLB 0 that are not global; above 32 they are too many to be listed" },
  tlbLocals: { type: "u32", count: 32, doc: "addresses of these entries" },
  tlbLocalCode: { type: "u32", doc: "1 if one of them can be executed" },
  tlbLargePages: { type: "u64", count: 34, doc: "filter of the regions that TLB entries of large pages lie in" },
  ticksBudget: {
    type: "u32",
    doc: "budget when the machine's time-stamp counter was read last in this run, or 0x80000000 if it was not",
  },
  ticksRead: { type: "u64", doc: "what it was then" },
  watchHit: {
    type: "u32",
    doc: "0, or 1 + number of the debugger's watchpoint that the instruction being stepped has met",
  },
  watchWrite: { type: "u32", doc: "1 if that access was a write" },
  ticksTold: { type: "u64", doc: "the last value that the guest was told, before its offset" },
} as const satisfies { [key: string]: FieldSpec };

type SegmentName = "es" | "cs" | "ss" | "ds" | "fs" | "gs" | "ldtr" | "tr";
type SegmentField = `${SegmentName}${"Base" | "Limit" | "Attr" | "Sel"}`;
export type CpuField = Exclude<keyof typeof specs, symbol | number> | SegmentField;

/** Where every part of a virtual CPU lives, relative to the start of its record. */
export const cpu: Layout<CpuField> = defineLayout<CpuField>(
  specs as unknown as { readonly [K in CpuField]: FieldSpec },
);

/** Bytes from one segment's fields to the next one's, in the order ES CS SS DS FS GS LDTR TR. */
export const SEGMENT_STRIDE = cpu.at("csBase") - cpu.at("esBase");
