// SPDX-License-Identifier: Apache-2.0
import { avxOpcodes } from "./avx.js";
import { fmaOpcodes } from "./fma.js";
import { integerAlu } from "./integer-alu.js";
import { crypto } from "./crypto.js";
import { integerBits } from "./integer-bits.js";
import { integerBranch } from "./integer-branch.js";
import { integerHint } from "./integer-hint.js";
import { integerMove } from "./integer-move.js";
import { integerShift } from "./integer-shift.js";
import { integerStack } from "./integer-stack.js";
import { integerString } from "./integer-string.js";
import type { Opcode } from "./opcode.js";
import { systemOpcodes } from "./system.js";
import { sseFloat } from "./sse-float.js";
import { sseInteger } from "./sse-integer.js";
import { sseMove } from "./sse-move.js";
import { sseShuffle } from "./sse-shuffle.js";
import { sseString } from "./sse4-string.js";
import { vexForms } from "./vex-of-sse.js";
import { x87Opcodes } from "./x87.js";
import { xsaveOpcodes } from "./xsave.js";

const sse: readonly Opcode[] = [...sseMove, ...sseInteger, ...sseShuffle, ...sseFloat, ...sseString, ...crypto];

/** Every instruction that exists. Within one opcode, the first line that matches counts. */
export const opcodeTable: readonly Opcode[] = [
  ...integerHint,
  ...integerAlu,
  ...sse,
  ...vexForms(sse),
  ...avxOpcodes,
  ...fmaOpcodes,
  ...integerShift,
  ...integerMove,
  ...integerBits,
  ...integerString,
  ...integerStack,
  ...integerBranch,
  ...systemOpcodes,
  ...xsaveOpcodes,
  ...x87Opcodes,
];
