// SPDX-License-Identifier: Apache-2.0
// An immediate is read from the record by the interpreter and is a constant for the region compiler. Instructions that
// emit other code for constants must do the same with it.
import { readFileSync } from "node:fs";
import { ARENA, CPU_RECORDS, RecordField, type Value } from "@isola/engine";
import { CodeBuilder, ModuleBuilder, type Signature, type ValueType } from "@isola/wasm";
import { describe, expect, it } from "vitest";
import { cpu as layout } from "../cpu-layout.js";
import { InterpreterEmitter } from "../interpreter/interpreter-emitter.js";
import { VectorSource } from "../sse-helpers.fixture.js";
import { type Form, formsOf } from "../table/form.js";
import { opcodeTable } from "../table/index.js";

const HANDLER: Signature = { parameters: ["i32", "i32"], results: ["i32"] };
/** Where decoded code is; the static data of the helpers, whose tables must not be written, come first in memory. */
const RECORD = ARENA;
const IMMEDIATES = [
  ...Array.from({ length: 34 }, (_, i) => i),
  47,
  48,
  63,
  64,
  0x4e,
  0x55,
  0x93,
  0xaa,
  0xb1,
  0xe4,
  0xf0,
  0xff,
];

class ConstantImmediate extends InterpreterEmitter {
  constructor(
    code: CodeBuilder,
    resolve: ConstructorParameters<typeof InterpreterEmitter>[1],
    form: Form,
    private readonly constant: number,
  ) {
    super(code, resolve, form, TARGETS);
  }

  override immediate(): Value {
    return this.i64(this.constant);
  }
}

const TARGETS = { handlerType: 0, raise: 0, goto: 0, enter: 0, linkTaken: 0, linkNotTaken: 0, trap: 0 };

/** Register forms of all vector instructions with an 8-bit immediate. */
const forms = opcodeTable
  .filter(
    ({ attributes, operands }) =>
      ["mmx", "sse", "avx"].includes(attributes.unit ?? "") &&
      operands.some((code) => code === "Lb" || code[0] === "K"),
  )
  .flatMap((line) => formsOf(line))
  .filter((form) => form.addressing === "none");

/** A module with the handler of `form` for immediates from the record, then one for each constant. */
function compile(form: Form): WebAssembly.Module {
  const module = new ModuleBuilder();
  const names = new Map<string, number>();
  const imports: { name: string; signature: Signature }[] = [];
  const resolve = (name: string, parameters: readonly ValueType[], result: ValueType | null): number => {
    let index = names.get(name);
    if (index === undefined) {
      index = imports.length;
      imports.push({ name, signature: { parameters, results: result === null ? [] : [result] } });
      names.set(name, index);
    }
    return index;
  };
  // "raise" is called as function 0, so it is the first import.
  resolve("probe", ["i32", "i32"], "i32");
  const bodies = [null, ...IMMEDIATES].map((constant) => {
    const code = new CodeBuilder(2);
    const e =
      constant === null
        ? new InterpreterEmitter(code, resolve, form, TARGETS)
        : new ConstantImmediate(code, resolve, form, constant);
    form.opcode.semantics(e, form.operands, form);
    e.leave(e.i32(0));
    return code;
  });
  for (const { name, signature } of imports) module.importFunction("helpers", name, signature);
  module.importMemory("env", "memory", 1, 0x1_0000, false);
  for (const [i, body] of bodies.entries()) {
    const index = module.declareFunction(HANDLER);
    module.defineFunction(index, body);
    module.exportFunction(i === 0 ? "fromRecord" : `constant${IMMEDIATES[i - 1]}`, index);
  }
  return new WebAssembly.Module(module.build() as BufferSource);
}

describe("immediates of vector instructions", () => {
  const memory = new WebAssembly.Memory({ initial: 0x800, maximum: 0x1_0000 });
  const helperModule = new WebAssembly.Module(readFileSync(new URL("../../../../build/helpers.wasm", import.meta.url)));
  const host = Object.fromEntries(
    WebAssembly.Module.imports(helperModule)
      .filter(({ module }) => module === "host")
      .map(({ name }) => [name, () => 0]),
  );
  const helpers = { ...new WebAssembly.Instance(helperModule, { env: { memory }, host }).exports, probe: () => 1 };
  const view = new DataView(memory.buffer);
  const cpu = new Uint8Array(memory.buffer, CPU_RECORDS, layout.size);
  const random = new VectorSource(5);

  it("covers the shuffles, shifts and lane accesses", () => {
    expect(forms.length).toBeGreaterThan(60);
  });

  it.each(
    forms.map((form) => [`${form.opcode.name} ${form.opcode.operands.join()} ${form.operandSize}`, form] as const),
  )("%s", (_name, form) => {
    const exports = new WebAssembly.Instance(compile(form), { env: { memory }, helpers }).exports as Record<
      string,
      (record: number, cpu: number) => number
    >;
    const slot = (code: string | undefined, n: number): number => {
      const letter = code?.[0] ?? "";
      return "VWUH".includes(letter)
        ? layout.at("vec", n)
        : "PQN".includes(letter)
          ? layout.at("fpr", n)
          : layout.at("gpr", n);
    };
    for (const [i, code] of form.opcode.operands.entries()) {
      const letter = code[0] ?? "";
      const field = "EWURNQ".includes(letter)
        ? RecordField.Rm
        : "HB".includes(letter)
          ? RecordField.Vvvv
          : RecordField.Reg;
      if (!"LK".includes(letter)) view.setUint16(RECORD + field, slot(code, i + 1), true);
    }
    for (const imm of IMMEDIATES) {
      for (let i = 0; i < cpu.length; i += 16) cpu.set(random.bytes(), i);
      view.setUint16(CPU_RECORDS + layout.at("fsw"), 0, true);
      view.setUint32(CPU_RECORDS + layout.at("fault"), 0, true);
      view.setUint32(CPU_RECORDS + layout.at("mxcsr"), 0x1f80, true);
      const before = cpu.slice();
      view.setBigInt64(RECORD + RecordField.Immediate, BigInt(imm), true);
      expect(exports["fromRecord"]!(RECORD, CPU_RECORDS)).toBe(0);
      const expected = cpu.slice();
      cpu.set(before);
      view.setBigInt64(RECORD + RecordField.Immediate, 0x77n, true);
      expect(exports[`constant${imm}`]!(RECORD, CPU_RECORDS)).toBe(0);
      expect(Buffer.compare(cpu, expected), `immediate ${imm}`).toBe(0);
    }
  });
});
