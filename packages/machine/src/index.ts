// SPDX-License-Identifier: Apache-2.0
export * from "./config.js";
export * from "./counters.js";
export type { KeyInput, MouseInput } from "./input.js";
export { Machine } from "./machine.js";
export type { MachinePorts, TranslationCache } from "./machine-ports.js";
export type { RunOutcome } from "./scheduler.js";
export type { BalloonReport, Picture } from "@isola/devices";
