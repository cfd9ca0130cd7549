// SPDX-License-Identifier: Apache-2.0
export * from "./audio.js";
export * from "./clock.js";
export * from "./code-log.js";
export * from "./debug.js";
export * from "./event-loop.js";
export * from "./host-network.js";
export * from "./memory.js";
export * from "./net-link.js";
export * from "./profile.js";
export * from "./range-transport.js";
export * from "./screen.js";
export * from "./storage.js";
export * from "./stream.js";
export * from "./trace.js";
export * from "./wasm-host.js";
export * from "./vsock.js";
export * from "./file-tree.js";
