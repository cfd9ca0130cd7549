// SPDX-License-Identifier: Apache-2.0
// Entry point of the module that the tests of this folder compile: everything by name, and the environment's results.
import { flags, roundedUp } from "./environment";

export { setFromMxcsr, setFromFcw, reportedFlags } from "./environment";
export * from "./float32";
export * from "./float64";
export * from "./conversions";

export function getFlags(): u32 {
  return flags;
}

export function getRoundedUp(): bool {
  return roundedUp;
}
