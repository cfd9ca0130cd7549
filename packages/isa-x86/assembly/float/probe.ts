// SPDX-License-Identifier: Apache-2.0
// Entry point of the module that the tests of this folder compile: everything by name, and the environment's results.
export { setFromMxcsr, setFromFcw, reportedFlags } from "./environment";
export * from "./float32";
export * from "./float64";
export * from "./conversions";
export * from "../x87/load";
export * from "../x87/store";
export * from "../x87/arithmetic";
export * from "../x87/registers";
export * from "../x87/control";
export * from "../x87/fxsave";
export * from "../x87/transcendental";
