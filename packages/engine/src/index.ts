// SPDX-License-Identifier: Apache-2.0
export * from "./control-flow.js";
export * from "./emitter.js";
export * from "./layout.js";
export * from "./memory-map.js";
export * from "./record.js";
