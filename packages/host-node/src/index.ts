// SPDX-License-Identifier: Apache-2.0
export * from "./clock.js";
export * from "./entropy.js";
export * from "./event-loop.js";
export * from "./file-block-store.js";
export * from "./file-lock.js";
export * from "./host-error.js";
export * from "./overlay-store.js";
export * from "./replaceable-file.js";
export * from "./terminal.js";
export * from "./wasm-host.js";
