// SPDX-License-Identifier: Apache-2.0
export * from "./bus.js";
export * from "./guest-ram.js";
export * from "./irq.js";
