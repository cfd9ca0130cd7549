// SPDX-License-Identifier: Apache-2.0
export * from "./code.js";
export * from "./byte-reader.js";
export * from "./byte-writer.js";
export * from "./module.js";
export * from "./opcodes.js";
export * from "./text.js";
