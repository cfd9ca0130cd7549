// SPDX-License-Identifier: Apache-2.0
import { flushLine, nothing, pause } from "../semantics/hint.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const NOP: Attributes = { shown: "Ev" };
const PREFETCH: Attributes = { shown: "Mb" };

/** Hints, prefetches, fences and cache control: nothing here changes state. ModRM operands are not accessed. */
export const integerHint: readonly Opcode[] = [
  op("f3 90", "pause", pause),
  op("90", "nop", nothing),
  op("0f 0d /1 mem", "prefetchw", nothing, PREFETCH),
  op("0f 0d /2 mem", "prefetchwt1", nothing, PREFETCH),
  op("0f 0d /r", "nop", nothing, NOP),
  op("0f 18 /0 mem", "prefetchnta", nothing, PREFETCH),
  op("0f 18 /1 mem", "prefetcht0", nothing, PREFETCH),
  op("0f 18 /2 mem", "prefetcht1", nothing, PREFETCH),
  op("0f 18 /3 mem", "prefetcht2", nothing, PREFETCH),
  ...["18", "19", "1a", "1b", "1c", "1d", "1e", "1f"].map((opcode) => op(`0f ${opcode} /r`, "nop", nothing, NOP)),
  op("np 0f ae /5 reg", "lfence", nothing),
  op("np 0f ae /6 reg", "mfence", nothing),
  op("np 0f ae /7 reg", "sfence", nothing),
  op("np 0f ae /7 mem", "clflush Mb", flushLine),
  op("66 0f ae /7 mem", "clflushopt Mb", flushLine, { feature: "CLFLUSHOPT" }),
  op("66 0f ae /6 mem", "clwb Mb", flushLine, { feature: "CLWB" }),
];
