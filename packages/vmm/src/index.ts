// SPDX-License-Identifier: Apache-2.0
export * from "./action.js";
export * from "./create-vm.js";
export * from "./event.js";
export { keysOf } from "./keystrokes.js";
export * from "./state.js";
export * from "./statistics.js";
export { Vm, type VmOptions } from "./vm.js";
