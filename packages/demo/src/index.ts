// SPDX-License-Identifier: Apache-2.0
// For tests and benchmarks, which serve pages of their own.
export { DemoServer, type DemoSite } from "./server/demo-server.js";
export { programFiles, type ServedFiles } from "./server/offers.js";
export { type DemoOptions, readOptions } from "./server/options.js";
