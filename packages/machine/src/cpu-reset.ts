// SPDX-License-Identifier: Apache-2.0
import type { BootRegister, BootState, SegmentState, TableRegister } from "@isola/firmware";
import type { CpuField, CpuState, Helpers } from "@isola/isa-x86";

const CR0_AFTER_RESET = 0x6000_0010n;
/** CD and NW keep their value across INIT (SDM 3A table 9-1). */
const CR0_KEPT_BY_INIT = 0x6000_0000n;
const RFLAGS_AFTER_RESET = 2;
const RFLAGS_MASK = 0xffff_ffff;
const RESET_RIP = 0xfff0n;
const LIMIT_64K = 0xffff;
const FCW_AFTER_RESET = 0x40;
const MXCSR_AFTER_RESET = 0x1f80;
const DR6_AFTER_RESET = 0xffff_0ff0n;
const DR7_AFTER_RESET = 0x400n;
/** UC-, WC, WT, WB pairs that the PAT has at power-on (SDM 3A 12.12.4). */
const PAT_AFTER_RESET = 0x0007_0406_0007_0406n;
const XCR0_AFTER_RESET = 1n;
const REAL_CODE: SegmentState = { selector: 0xf000, base: 0xffff_0000, limit: LIMIT_64K, attributes: 0x9b };
const REAL_DATA: SegmentState = { selector: 0, base: 0, limit: LIMIT_64K, attributes: 0x93 };
const NO_LDT: SegmentState = { selector: 0, base: 0, limit: LIMIT_64K, attributes: 0x82 };
const NO_TASK: SegmentState = { selector: 0, base: 0, limit: LIMIT_64K, attributes: 0x8b };
const REAL_TABLE: TableRegister = { base: 0, limit: LIMIT_64K };

type SegmentName = "es" | "cs" | "ss" | "ds" | "fs" | "gs" | "ldtr" | "tr";
const DATA_SEGMENTS: readonly SegmentName[] = ["es", "ss", "ds", "fs", "gs"];

/** Fields that are zero after RESET, and those of them that INIT leaves alone. */
const ZEROED: readonly CpuField[] = ["cr2", "cr3", "cr4", "efer", "kernelGsBase", "star", "lstar", "cstar", "sfmask"];
const ZEROED_BY_RESET_ONLY: readonly CpuField[] = [
  "sysenterCs",
  "sysenterEsp",
  "sysenterEip",
  "tscAux",
  "tscOffset",
  "tscAdjust",
  "mtrrDefType",
  "mcgStatus",
  "debugControl",
];
const FIXED_MTRRS = 11;
const VARIABLE_MTRR_REGISTERS = 16;
/** Fast strings on; branch trace and precise sampling are not available (SDM 4, IA32_MISC_ENABLE). */
const MISC_ENABLE_AFTER_RESET = 0x1801n;
const GPR_COUNT = 16;
const VECTOR_BYTES = 64;
const VECTORS = 32;
const X87_REGISTERS = 8;
const GPR_INDEX: { readonly [K in BootRegister]: number } = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
  rsp: 4,
  rbp: 5,
  rsi: 6,
  rdi: 7,
};

function loadSegment(state: CpuState, name: SegmentName, segment: SegmentState): void {
  state.set64(`${name}Base`, BigInt(segment.base));
  state.set(`${name}Limit`, segment.limit);
  state.set(`${name}Attr`, segment.attributes);
  state.set(`${name}Sel`, segment.selector);
}

function loadTables(state: CpuState, gdtr: TableRegister, idtr: TableRegister): void {
  state.set64("gdtrBase", BigInt(gdtr.base));
  state.set("gdtrLimit", gdtr.limit);
  state.set64("idtrBase", BigInt(idtr.base));
  state.set("idtrLimit", idtr.limit);
}

/** Makes what the engine derives from control registers and segments agree with them again. */
function settle(state: CpuState, helpers: Helpers): void {
  helpers.flushTlb(state.base);
  helpers.updateMode(state.base);
}

/** What RESET and INIT have in common (SDM 3A table 9-1). */
function resetCore(state: CpuState, helpers: Helpers, cr0: bigint): void {
  for (let i = 0; i < GPR_COUNT; i++) state.set64("gpr", 0n, i);
  for (const field of ZEROED) state.set64(field, 0n);
  for (let i = 0; i < 4; i++) state.set64("dr", 0n, i);
  state.set64("dr", DR6_AFTER_RESET, 6);
  state.set64("dr", DR7_AFTER_RESET, 7);
  state.set64("cr0", cr0);
  state.set64("rip", RESET_RIP);
  state.set("cpl", 0);
  state.set("halted", 0);
  state.set("interruptShadow", 0);
  state.set("nmiBlocked", 0);
  state.set("debugPending", 0);
  state.set("stepTrap", 0);
  state.set("fault", 0);
  loadSegment(state, "cs", REAL_CODE);
  for (const name of DATA_SEGMENTS) loadSegment(state, name, REAL_DATA);
  loadSegment(state, "ldtr", NO_LDT);
  loadSegment(state, "tr", NO_TASK);
  loadTables(state, REAL_TABLE, REAL_TABLE);
  helpers.writeFlags(state.base, RFLAGS_AFTER_RESET, RFLAGS_MASK);
  settle(state, helpers);
}

/** Power-on state of a vCPU, waiting at the reset vector. */
export function resetCpu(state: CpuState, helpers: Helpers): void {
  for (const field of ZEROED_BY_RESET_ONLY) state.set64(field, 0n);
  for (let i = 0; i < FIXED_MTRRS; i++) state.set64("mtrrFixed", 0n, i);
  for (let i = 0; i < VARIABLE_MTRR_REGISTERS; i++) state.set64("mtrrVariable", 0n, i);
  for (let i = 0; i < VECTORS; i++) state.bytes("vec", i, VECTOR_BYTES).fill(0);
  for (let i = 0; i < X87_REGISTERS; i++) state.bytes("fpr", i, 16).fill(0);
  state.set("fcw", FCW_AFTER_RESET);
  state.set("fsw", 0);
  state.set("fpTop", 0);
  // After RESET every x87 register holds +0.0 and is tagged as such, not as empty.
  state.set("fpTag", 0xff);
  state.set("mxcsr", MXCSR_AFTER_RESET);
  state.set64("pat", PAT_AFTER_RESET);
  state.set64("xcr0", XCR0_AFTER_RESET);
  state.set64("miscEnable", MISC_ENABLE_AFTER_RESET);
  resetCore(state, helpers, CR0_AFTER_RESET);
}

/** INIT: as reset, but caches, x87, vector registers and most MSRs keep their state. */
export function initCpu(state: CpuState, helpers: Helpers): void {
  resetCore(state, helpers, 0x10n | (state.get64("cr0") & CR0_KEPT_BY_INIT));
}

/** Start-up IPI: real mode at `vector << 12`. */
export function startCpuAt(state: CpuState, helpers: Helpers, vector: number): void {
  loadSegment(state, "cs", { ...REAL_CODE, selector: (vector & 0xff) << 8, base: (vector & 0xff) << 12 });
  state.set64("rip", 0n);
  settle(state, helpers);
}

/** Loads the state that a boot protocol prescribes into a vCPU that has been reset. */
export function loadBootState(state: CpuState, helpers: Helpers, boot: BootState): void {
  for (const [name, index] of Object.entries(GPR_INDEX))
    state.set64("gpr", BigInt(boot.registers[name as BootRegister] ?? 0), index);
  state.set64("rip", BigInt(boot.rip));
  state.set64("cr0", BigInt(boot.cr0));
  state.set64("cr3", BigInt(boot.cr3));
  state.set64("cr4", BigInt(boot.cr4));
  state.set64("efer", BigInt(boot.efer));
  loadSegment(state, "cs", boot.cs);
  for (const name of DATA_SEGMENTS) loadSegment(state, name, boot.data);
  loadSegment(state, "tr", boot.tr);
  loadTables(state, boot.gdtr, boot.idtr);
  helpers.writeFlags(state.base, boot.rflags, RFLAGS_MASK);
  settle(state, helpers);
}
