// SPDX-License-Identifier: Apache-2.0
export * from "./address.js";
export * from "./assert.js";
export * from "./counters.js";
export * from "./operator-error.js";
