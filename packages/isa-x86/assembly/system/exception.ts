// SPDX-License-Identifier: Apache-2.0
import { CPU_FAULT } from "../generated/layout";

/** Delivers the exception in CPU_FAULT. 1 = shutdown. */
export function raisePending(cpu: usize): u32 {
  return load<u32>(cpu + CPU_FAULT) != 0 ? 1 : 0;
}
