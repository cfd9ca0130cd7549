// SPDX-License-Identifier: Apache-2.0
import type { BootRegister, BootState, SegmentState } from "@isola/firmware";
import type { CpuState, Helpers } from "@isola/isa-x86";

const RFLAGS_MASK = 0xffff_ffff;
const REAL_MODE_LIMIT = 0xffff;
const REAL_MODE_CODE = 0x9b;
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

function loadSegment(
  state: CpuState,
  name: "es" | "cs" | "ss" | "ds" | "fs" | "gs" | "tr",
  segment: SegmentState,
): void {
  state.set64(`${name}Base`, BigInt(segment.base));
  state.set(`${name}Limit`, segment.limit);
  state.set(`${name}Attr`, segment.attributes);
  state.set(`${name}Sel`, segment.selector);
}

/** Makes what the engine derives from control registers and segments agree with them again. */
function settle(state: CpuState, helpers: Helpers): void {
  helpers.flushTlb(state.base);
  helpers.updateMode(state.base);
}

/** Start-up IPI to a vCPU that is in its state after INIT: real mode at `vector << 12` (SDM 3A 9.4.4). */
export function startCpuAt(state: CpuState, helpers: Helpers, vector: number): void {
  const page = vector & 0xff;
  const segment = { selector: page << 8, base: page << 12, limit: REAL_MODE_LIMIT, attributes: REAL_MODE_CODE };
  loadSegment(state, "cs", segment);
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
  for (const name of ["es", "ss", "ds", "fs", "gs"] as const) loadSegment(state, name, boot.data);
  loadSegment(state, "tr", boot.tr);
  state.set64("gdtrBase", BigInt(boot.gdtr.base));
  state.set("gdtrLimit", boot.gdtr.limit);
  state.set64("idtrBase", BigInt(boot.idtr.base));
  state.set("idtrLimit", boot.idtr.limit);
  helpers.writeFlags(state.base, boot.rflags, RFLAGS_MASK);
  settle(state, helpers);
}
