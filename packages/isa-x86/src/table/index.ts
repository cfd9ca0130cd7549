// SPDX-License-Identifier: Apache-2.0
import { integerAlu } from "./integer-alu.js";
import type { Opcode } from "./opcode.js";

/** Every instruction that exists. Within one opcode, the first line that matches counts. */
export const opcodeTable: readonly Opcode[] = [
  ...integerAlu,
];
