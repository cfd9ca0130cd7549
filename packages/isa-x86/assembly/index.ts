// SPDX-License-Identifier: Apache-2.0
// The helper module: cold and wide operations that interpreter handlers and compiled regions call.
import { CPU_GPR } from "./generated/layout";

export function probe(cpu: usize): u64 {
  return load<u64>(cpu + CPU_GPR);
}

// x87 and MMX state: x87/README.md
export * from "./x87/load";
export * from "./x87/store";
export * from "./x87/arithmetic";
export * from "./x87/registers";
export * from "./x87/transcendental";
export * from "./x87/control";
export * from "./x87/fxsave";
