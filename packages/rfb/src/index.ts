// SPDX-License-Identifier: Apache-2.0
export type { Compress } from "./encodings.js";
export { RfbSession, type RfbPorts } from "./session.js";
