// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "./byte-writer.js";
import { CodeBuilder } from "./code.js";
import { ModuleBuilder } from "./module.js";
import { plainOps, type PlainOpName, type ValueType } from "./opcodes.js";

const I32: readonly ValueType[] = ["i32"];

function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(module.build() as BufferSource), imports).exports;
}

describe("ModuleBuilder", () => {
  it("builds a module with imports, memory, table and tail calls that the host accepts and runs", () => {
    const module = new ModuleBuilder();
    const twice = module.importFunction("env", "twice", { parameters: I32, results: I32 });
    module.importMemory("env", "memory", 1, 2, false);
    module.importTable("env", "table", 2);
    const signature = { parameters: I32, results: I32 };
    const first = module.declareFunction(signature);
    const second = module.declareFunction(signature);
    const a = new CodeBuilder(1);
    a.localGet(0);
    a.call(twice);
    a.i32Const(1);
    a.returnCallIndirect(module.typeIndex(signature), 0);
    const b = new CodeBuilder(1);
    b.i32Const(64);
    b.localGet(0);
    b.memory("i32.store", 4);
    b.localGet(0);
    b.i32Const(-1);
    b.plain("i32.add");
    module.defineFunction(first, a);
    module.defineFunction(second, b);
    module.element(0, [first, second]);
    module.exportFunction("run", first);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const table = new WebAssembly.Table({ initial: 2, element: "anyfunc" });
    const { run } = instantiate(module, { env: { twice: (x: number) => 2 * x, memory, table } }) as {
      run: (x: number) => number;
    };
    expect(run(21)).toBe(41);
    expect(new DataView(memory.buffer).getUint32(68, true)).toBe(42);
  });

  it("knows the type of every plain instruction", () => {
    for (const name of Object.keys(plainOps) as PlainOpName[]) {
      const { args, result } = plainOps[name];
      const module = new ModuleBuilder();
      const index = module.declareFunction({ parameters: args, results: [result] });
      const code = new CodeBuilder(args.length);
      args.forEach((_, i) => code.localGet(i));
      code.plain(name);
      module.defineFunction(index, code);
      expect(WebAssembly.validate(module.build() as BufferSource), name).toBe(true);
    }
  });

  it("refuses a declared function without a body", () => {
    const module = new ModuleBuilder();
    module.declareFunction({ parameters: [], results: [] });
    expect(() => module.build()).toThrow("no body");
  });
});

describe("LEB128", () => {
  const decode = (bytes: readonly number[], signed: boolean): bigint => {
    let value = 0n;
    let shift = 0n;
    for (const byte of bytes) {
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    }
    const negative = signed && ((bytes.at(-1) ?? 0) & 0x40) !== 0;
    return negative ? value - (1n << shift) : value;
  };
  const encode = (write: (out: ByteWriter) => void): number[] => {
    const out = new ByteWriter(1);
    write(out);
    return [...out.bytes];
  };

  it("round-trips", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        (n) =>
          decode(
            encode((out) => out.unsigned(n)),
            false,
          ) === BigInt(n),
      ),
    );
    fc.assert(
      fc.property(
        fc.integer(),
        (n) =>
          decode(
            encode((out) => out.signed32(n)),
            true,
          ) === BigInt(n),
      ),
    );
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
        (n) =>
          decode(
            encode((out) => out.signed64(n)),
            true,
          ) === n,
      ),
    );
  });
});
