// SPDX-License-Identifier: Apache-2.0
// Which exception tells that x87, MMX, SSE or AVX is switched off: SDM 3A, table 2-2 and SDM 2, section 2.5.
import { CPU_CR0, CPU_CR4, CPU_FAULT, CPU_FAULT_ERROR, CPU_XCR0 } from "./generated/layout";

const X87: u32 = 1;
const CR0_EM: u64 = 4;
const CR4_OSFXSR: u64 = 0x200;
const CR4_OSXSAVE: u64 = 0x4_0000;
const XCR0_SSE_AVX: u64 = 6;
const UD: u32 = 6;
const NM: u32 = 7;

/** Raises #UD or #NM for an instruction of `unit`: 1 x87, 2 MMX, 3 SSE, 4 AVX. */
export function raiseUnavailable(cpu: usize, unit: u32): void {
  const cr0 = load<u64>(cpu + CPU_CR0);
  const cr4 = load<u64>(cpu + CPU_CR4);
  let vector = NM;
  if (unit != X87) {
    if ((cr0 & CR0_EM) != 0) vector = UD;
    if (unit == 3 && (cr4 & CR4_OSFXSR) == 0) vector = UD;
    if (unit == 4) {
      const enabled = (cr4 & CR4_OSXSAVE) != 0 && (load<u64>(cpu + CPU_XCR0) & XCR0_SSE_AVX) == XCR0_SSE_AVX;
      vector = enabled ? NM : UD;
    }
  }
  store<u32>(cpu + CPU_FAULT, vector + 1);
  store<u32>(cpu + CPU_FAULT_ERROR, 0);
}
