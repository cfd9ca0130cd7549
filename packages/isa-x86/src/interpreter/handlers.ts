// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { type Form, formsOf } from "../table/form.js";
import { opcodeTable } from "../table/index.js";
import type { Opcode } from "../table/opcode.js";
import { Special } from "./special.js";

/**
 * Numbers of the handlers in the function table: special ones first, then the forms of each opcode-table line in order.
 * The generator and the decoder both count this way, so nothing but the table has to agree.
 */
export interface HandlerIndex {
  /** Handler of the first form of each opcode. */
  readonly first: ReadonlyMap<Opcode, number>;
  /** Forms by handler number minus Special.Count. */
  readonly forms: readonly Form[];
  readonly count: number;
}

export function indexHandlers(): HandlerIndex {
  const first = new Map<Opcode, number>();
  const forms: Form[] = [];
  for (const opcode of opcodeTable) {
    first.set(opcode, Special.Count + forms.length);
    forms.push(...formsOf(opcode));
  }
  return { first, forms, count: Special.Count + forms.length };
}

/** The form that a handler number in a record stands for. */
export function formOfHandler(forms: readonly Form[], handler: number): Form {
  const form = forms[handler - Special.Count];
  assert(form !== undefined, `handler ${handler} belongs to no instruction`);
  return form;
}
