// SPDX-License-Identifier: Apache-2.0
export { ChromeTrace, type ChromeTraceOptions, type TraceOutput } from "./trace/chrome-trace.js";
