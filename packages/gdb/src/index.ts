// SPDX-License-Identifier: Apache-2.0
export type { Architecture } from "./architecture.js";
export { featuresOf, targetDescription } from "./architecture.js";
export { GdbStub, type StubOptions } from "./stub.js";
