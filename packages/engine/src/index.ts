// SPDX-License-Identifier: Apache-2.0
export * from "./layout.js";
export * from "./emitter.js";
