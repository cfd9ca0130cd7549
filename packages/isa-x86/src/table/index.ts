// SPDX-License-Identifier: Apache-2.0
import { integerAlu } from "./integer-alu.js";
import { crypto } from "./crypto.js";
import type { Opcode } from "./opcode.js";
import { sseFloat } from "./sse-float.js";
import { sseInteger } from "./sse-integer.js";
import { sseMove } from "./sse-move.js";
import { sseShuffle } from "./sse-shuffle.js";
import { sseString } from "./sse4-string.js";

/** Every instruction that exists. Within one opcode, the first line that matches counts. */
export const opcodeTable: readonly Opcode[] = [
  ...integerAlu,
  ...sseMove,
  ...sseInteger,
  ...sseShuffle,
  ...sseFloat,
  ...sseString,
  ...crypto,
];
