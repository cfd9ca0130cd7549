// SPDX-License-Identifier: Apache-2.0
export * from "./emitter.js";
export * from "./layout.js";
export * from "./memory-map.js";
export * from "./record.js";
