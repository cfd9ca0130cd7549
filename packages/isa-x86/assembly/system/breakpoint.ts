// SPDX-License-Identifier: Apache-2.0
import { CPU_DR } from "../generated/layout";

/** Notes in DR6 the data breakpoints that an access of `bytes` at `linear` hits. */
export function checkDataBreakpoint(cpu: usize, linear: u64, bytes: u32, write: bool): void {
  if ((load<u64>(cpu + CPU_DR + 56) & 0xff) == 0) return;
}
