// SPDX-License-Identifier: Apache-2.0
export * from "./clock.js";
export * from "./compress.js";
export * from "./decompressor.js";
export * from "./disk-image.js";
export * from "./entropy.js";
export * from "./event-loop.js";
export * from "./file-store.js";
export * from "./file-lock.js";
export * from "./host-error.js";
export * from "./network/node-network.js";
export { encodePng, type RgbaPicture } from "./png.js";
export * from "./replaceable-file.js";
export * from "./socket-server.js";
export * from "./terminal.js";
export * from "./timers.js";
export * from "./translation-file.js";
export * from "./url-store.js";
export * from "./wasm-host.js";
