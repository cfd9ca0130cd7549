// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { CodeBuilder } from "./code.js";
import { ModuleBuilder } from "./module.js";
import { printCode } from "./text.js";

/** A function (i32, i32) -> i32. */
function instantiate(code: CodeBuilder): (a: number, b: number) => number {
  const module = new ModuleBuilder();
  const index = module.declareFunction({ parameters: ["i32", "i32"], results: ["i32"] });
  module.defineFunction(index, code);
  module.exportFunction("run", index);
  const compiled = new WebAssembly.Module(module.build() as BufferSource);
  return new WebAssembly.Instance(compiled).exports["run"] as (a: number, b: number) => number;
}

const textOf = (code: CodeBuilder): string[] => printCode(code.bytes, String);

describe("local.tee", () => {
  it("stands for a set and a get of the same local", () => {
    const code = new CodeBuilder(2);
    code.i32Const(7);
    code.localSet(0);
    code.localGet(0);
    expect(textOf(code)).toEqual(["i32.const 7", "local.tee 0"]);
    expect(instantiate(code)(1, 2)).toBe(7);
  });

  it("does so with locals whose number takes more than one byte", () => {
    const code = new CodeBuilder(2);
    let last = 0;
    for (let i = 0; i < 200; i++) last = code.newLocal("i32");
    code.i32Const(7);
    code.localSet(last);
    code.localGet(last);
    expect(textOf(code)).toEqual(["i32.const 7", `local.tee ${last}`]);
    expect(instantiate(code)(1, 2)).toBe(7);
  });

  it("does not stand for a get behind a tee", () => {
    const code = new CodeBuilder(2);
    code.i32Const(7);
    code.localSet(0);
    code.localGet(0);
    code.localGet(0);
    code.plain("i32.add");
    expect(textOf(code)).toEqual(["i32.const 7", "local.tee 0", "local.get 0", "i32.add"]);
    expect(instantiate(code)(1, 2)).toBe(14);
  });

  it("does not stand for a get of another local, or for one that other code comes between", () => {
    const code = new CodeBuilder(2);
    code.i32Const(7);
    code.localSet(0);
    code.localGet(1);
    code.localGet(0);
    code.plain("i32.add");
    expect(instantiate(code)(1, 2)).toBe(9);
  });

  it("is not made where control flow meets, since who comes by a branch has not passed the set", () => {
    const code = new CodeBuilder(2);
    code.block();
    code.localGet(0);
    code.brIf(0);
    code.i32Const(7);
    code.localSet(1);
    code.end();
    code.localGet(1);
    const run = instantiate(code);
    expect(run(0, 2)).toBe(7);
    expect(run(1, 2)).toBe(2);
  });

  it("is not made of a set in one arm and a get in the other", () => {
    const code = new CodeBuilder(2);
    code.localGet(0);
    code.if("i32");
    code.i32Const(5);
    code.i32Const(7);
    code.localSet(1);
    code.else();
    code.localGet(1);
    code.end();
    const run = instantiate(code);
    expect(run(1, 2)).toBe(5);
    expect(run(0, 2)).toBe(2);
  });
});

describe("moveToFront", () => {
  it("puts the end of the code in front and takes branch hints along", () => {
    const code = new CodeBuilder(2);
    code.localGet(0);
    code.if(undefined, "unlikely");
    code.i32Const(100);
    code.return();
    code.end();
    code.localGet(1);
    const start = code.length;
    code.localGet(1);
    code.if(undefined, "likely");
    code.i32Const(3);
    code.localSet(1);
    code.end();
    code.moveToFront(start);
    expect(textOf(code)).toEqual([
      "local.get 1",
      "if",
      "  i32.const 3",
      "  local.set 1",
      "end",
      "local.get 0",
      "if",
      "  i32.const 100",
      "  return",
      "end",
      "local.get 1",
    ]);
    const IF = 0x04;
    expect(code.hints.map(({ taken }) => taken)).toEqual([true, false]);
    for (const { offset } of code.hints) expect(code.bytes[offset]).toBe(IF);
    const run = instantiate(code);
    expect(run(1, 1)).toBe(100);
    expect(run(0, 1)).toBe(3);
    expect(run(0, 0)).toBe(0);
  });

  it("does not make a tee across the seam", () => {
    const code = new CodeBuilder(2);
    code.localGet(0);
    const start = code.length;
    code.i32Const(9);
    code.localSet(0);
    code.moveToFront(start);
    code.localGet(0);
    code.plain("i32.add");
    expect(instantiate(code)(1, 2)).toBe(18);
  });
});

describe("branch hints", () => {
  /** The contents of the custom section: functions, each with its hints. */
  function hintsOf(bytes: Uint8Array): { functionIndex: number; hints: { offset: number; value: number }[] }[] {
    const [contents] = WebAssembly.Module.customSections(
      new WebAssembly.Module(bytes as BufferSource),
      "metadata.code.branch_hint",
    );
    if (contents === undefined) return [];
    const view = new Uint8Array(contents);
    let at = 0;
    const next = (): number => view[at++] ?? Number.NaN;
    return Array.from({ length: next() }, () => ({
      functionIndex: next(),
      hints: Array.from({ length: next() }, () => {
        const offset = next();
        expect(next()).toBe(1);
        return { offset, value: next() };
      }),
    }));
  }

  it("name functions by index and count offsets from the declaration of locals", () => {
    const module = new ModuleBuilder();
    const signature = { parameters: ["i32"], results: [] } as const;
    module.importFunction("env", "log", signature);
    const plain = new CodeBuilder(1);
    const hinted = new CodeBuilder(1);
    hinted.newLocal("i64");
    hinted.localGet(0);
    hinted.if(undefined, "likely");
    hinted.block();
    hinted.localGet(0);
    hinted.brIf(0, "unlikely");
    hinted.end();
    hinted.end();
    for (const code of [plain, hinted]) module.defineFunction(module.declareFunction(signature), code);
    // Three bytes declare the local; the `if` is behind a `local.get`, the `br_if` behind six more bytes.
    const hints = [
      { offset: 5, value: 1 },
      { offset: 11, value: 0 },
    ];
    expect(hintsOf(module.build())).toEqual([{ functionIndex: 2, hints }]);
  });

  it("leave no section behind where there are none", () => {
    const module = new ModuleBuilder();
    module.defineFunction(module.declareFunction({ parameters: [], results: [] }), new CodeBuilder(0));
    expect(hintsOf(module.build())).toEqual([]);
  });
});
