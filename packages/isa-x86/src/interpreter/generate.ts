// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { Exit, FAULT_INTERPRET, Link, MAX_MEMORY_PAGES, RecordField } from "@isola/engine";
import { CodeBuilder, ModuleBuilder, printCode, type Signature, type ValueType } from "@isola/wasm";
import { Vector } from "../semantics/x86-emitter.js";
import type { Form } from "../table/form.js";
import { indexHandlers } from "./handlers.js";
import { type HandlerTargets, InterpreterEmitter } from "./interpreter-emitter.js";
import { INTERPRETER_PARTS } from "./parts.js";
import { Special } from "./special.js";
import { emitSpecial } from "./special-handlers.js";

const HANDLER: Signature = { parameters: ["i32", "i32"], results: ["i32"] };
const MAX_HELPERS = 512;

/** Collects the helpers that handlers call; their imports must precede all functions, so numbers are given up front. */
class HelperImports {
  readonly used = new Map<string, { index: number; signature: Signature }>();

  resolve(name: string, parameters: readonly ValueType[], result: ValueType | null): number {
    const known = this.used.get(name);
    if (known !== undefined) {
      assert(known.signature.parameters.join() === parameters.join(), `${name} is called with different operand types`);
      return known.index;
    }
    const index = this.used.size;
    assert(index < MAX_HELPERS, "too many helpers");
    this.used.set(name, { index, signature: { parameters, results: result === null ? [] : [result] } });
    return index;
  }
}

/** Forms that are counted, to keep the numbering regular, but that no instruction decodes to. */
function isImpossible(form: Form): boolean {
  return form.opcode.attributes.only === "not64" && (form.operandSize === 64 || form.model === "long");
}

/** A form for the special handlers, whose records have an address but belong to no opcode. */
function specialForm(base: Form): Form {
  return { ...base, operandSize: 64, addressing: "long", model: null, operands: [] };
}

/**
 * Generates the interpreter module. It imports `env.memory`, `env.table` and the helpers (module `helpers`), puts its
 * handlers into the table from index 0 on, and exports {@link INTERPRETER_PARTS}.
 */
export function generateInterpreter(): Uint8Array {
  const { forms } = indexHandlers();
  const helpers = new HelperImports();
  const resolve = helpers.resolve.bind(helpers);

  // The bodies are emitted before the number of imports is known: function indices behind the imports are computed
  // from a fixed count of import slots, and unused slots are filled with a harmless helper.
  const local = (index: number): number => MAX_HELPERS + index;
  const targets: HandlerTargets = {
    handlerType: 0,
    raise: local(0),
    goto: local(1),
    enter: local(2),
    linkTaken: local(3),
    linkNotTaken: local(4),
    trap: local(5),
  };
  const anyForm = forms[0];
  assert(anyForm !== undefined, "the opcode table is empty");
  const bodies: CodeBuilder[] = [];
  const emit = (form: Form, body: (e: InterpreterEmitter) => void): void => {
    const code = new CodeBuilder(HANDLER.parameters.length);
    const e = new InterpreterEmitter(code, resolve, form, targets);
    body(e);
    if (!e.hasLeft) e.next();
    bodies.push(code);
  };

  const plain = specialForm(anyForm);
  emit(plain, raise);
  emit(plain, (e) => goto(e));
  emit(plain, enter);
  emit(plain, (e) => followLink(e, RecordField.LinkTaken));
  emit(plain, (e) => followLink(e, RecordField.LinkNotTaken));
  emit(plain, (e) => {
    e.storeState("i32.store", "currentRecord", e.record);
    e.leave(e.i32(Exit.Trap));
  });
  const firstHandler = bodies.length;
  for (let special = 0; special < Special.Count; special++) emit(specialForm(anyForm), (e) => emitSpecial(e, special));
  for (const form of forms) {
    emit(form, (e) => {
      if (isImpossible(form)) return e.raise(Vector.UD);
      form.opcode.semantics(e, form.operands, form);
      assert(
        !e.hasLeft || form.opcode.attributes.ends === true,
        `${form.opcode.name} jumps but lacks the "ends" attribute`,
      );
    });
  }

  const module = new ModuleBuilder();
  const handlerType = module.typeIndex(HANDLER);
  assert(handlerType === targets.handlerType, "handlers have the first type");
  const used = [...helpers.used];
  for (const [name, { signature }] of used) module.importFunction("helpers", name, signature);
  for (let i = used.length; i < MAX_HELPERS; i++)
    module.importFunction("helpers", "lookup", { parameters: ["i32"], results: ["i32"] });
  module.importMemory("env", "memory", 1, MAX_MEMORY_PAGES, false);
  module.importTable("env", "table", bodies.length - firstHandler);
  const indices = bodies.map(() => module.declareFunction(HANDLER));
  bodies.forEach((body, i) => module.defineFunction(indices[i] ?? 0, body));
  module.element(0, indices.slice(firstHandler));
  for (const part of INTERPRETER_PARTS) module.exportFunction(part, targets[part]);
  return module.build();
}

/** The handler of one form as text: for golden files. Calls show the names of helpers and of the module's own parts. */
export function printHandler(form: Form): string[] {
  const names: string[] = [];
  const targets = {
    handlerType: 0,
    raise: MAX_HELPERS,
    goto: MAX_HELPERS + 1,
    enter: MAX_HELPERS + 2,
    linkTaken: MAX_HELPERS + 3,
    linkNotTaken: MAX_HELPERS + 4,
    trap: MAX_HELPERS + 5,
  };
  const code = new CodeBuilder(HANDLER.parameters.length);
  const e = new InterpreterEmitter(code, (name) => names.push(name) - 1, form, targets);
  form.opcode.semantics(e, form.operands, form);
  if (!e.hasLeft) e.next();
  return printCode(code.bytes, (index) => names[index] ?? INTERPRETER_PARTS[index - MAX_HELPERS] ?? String(index));
}

function raise(e: InterpreterEmitter): void {
  // Compiled code has met something that only the interpreter can do: it does the instruction instead.
  e.if(e.eq(e.loadState("i32.load", "fault"), e.i32(FAULT_INTERPRET)), () => {
    e.storeState("i32.store", "fault", e.i32(0));
    e.dispatch(e.record);
  });
  const reason = e.call("deliverFault", [e.cpu, e.record], "i32");
  e.if(reason, () => e.leave(reason));
  e.reenter();
}

/** Probes the jump cache for RIP; only flat and 64-bit code is ever in it, so RIP is the linear address. */
function goto(e: InterpreterEmitter): void {
  const rip = e.loadState("i64.load", "rip");
  const entry = e.jumpCacheEntry(rip);
  const sameAddress = e.eq(e.loadHost("i64.load", entry), rip);
  const sameContext = e.eq(e.loadHost("i32.load", entry, 8), e.loadState("i32.load", "jumpContext"));
  e.if(e.and(sameAddress, sameContext), () => {
    const record = e.loadHost("i32.load", entry, 12);
    const offset = e.loadHost("i32.load16_u", record, RecordField.PageOffset);
    e.storeState("i64.store", "codeBase", e.sub(rip, e.extendU(offset)));
    e.dispatch(record);
  });
  e.lookUp();
}

function enter(e: InterpreterEmitter): void {
  goOn(e, e.call("lookup", [e.cpu], "i32"));
}

/** RIP is the target of a direct jump without a link: looks it up, linking if the target may be linked. */
function followLink(e: InterpreterEmitter, link: RecordField): void {
  e.if(e.eq(e.loadHost("i32.load", e.record, link), e.i32(Link.Never)), () => goto(e));
  goOn(e, e.call("resolve", [e.cpu, e.record, e.add(e.record, e.i32(link))], "i32"));
}

function goOn(e: InterpreterEmitter, record: ReturnType<InterpreterEmitter["i32"]>): void {
  e.if(e.eqz(record), () => e.leave(e.loadState("i32.load", "exitReason")));
  e.dispatch(record);
}
