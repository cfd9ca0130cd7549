// SPDX-License-Identifier: Apache-2.0
export { flameGraph } from "./profile/flame-graph.js";
export { GuestProfiler, type ProfilerOptions } from "./profile/guest-profiler.js";
export { collapsedStacks, type Profile, type ProfiledStack } from "./profile/profile.js";
export { isKernel, loadSymbols } from "./symbols/load-symbols.js";
export { type GuestSymbol, SymbolTable } from "./symbols/symbol-table.js";
export { ChromeTrace, type ChromeTraceOptions, type TraceOutput } from "./trace/chrome-trace.js";
