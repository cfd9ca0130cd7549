// SPDX-License-Identifier: Apache-2.0
import type { Form } from "../table/form.js";
import type { Operand } from "../table/operand.js";
import type { X86Emitter } from "./x86-emitter.js";

/**
 * What an instruction does, written once for all tiers: emits code for one form. `operands` are the form's.
 *
 * Rules: everything that can fault comes before the first change of guest state; a memory destination is written
 * before registers and flags unless `modify` did the check; a jump is the last thing.
 */
export type Semantics = (e: X86Emitter, operands: readonly Operand[], form: Form) => void;
