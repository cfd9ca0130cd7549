// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { opcodeTable } from "../table/index.js";
import { type Addressing, formsOf, type Model, type OperandSize } from "../table/form.js";
import { printHandler } from "./generate.js";

// Each golden file is the WebAssembly text of one handler. ISOLA_BLESS=1 rewrites them.
const GOLDEN = new URL("golden/", import.meta.url);

const CASES: readonly (readonly [
  file: string,
  opcode: string,
  size: OperandSize,
  addressing: Addressing,
  model: Model | null,
])[] = [
  ["add-r64-r64", "add Gv,Ev", 64, "none", null],
  ["add-m32-r32", "add Ev,Gv", 32, "long", null],
  ["mov-r64-m64", "mov Gv,Ev", 64, "long", null],
  ["mov-r32-m32-flat", "mov Gv,Ev", 32, "flat32", null],
  ["jne-long", "jne Jb", 64, "none", "long"],
  ["push-r64", "push Zv", 64, "none", "long"],
  ["paddd-xmm-m128", "paddd Vx,Wx", 32, "long", null],
  ["vpermd-ymm-m256", "vpermd Vx,Hx,Wx", 32, "long", null],
];

describe("interpreter handlers", () => {
  it.each(CASES)("%s", (file, name, size, addressing, model) => {
    const form = opcodeTable
      .filter((opcode) => `${opcode.name} ${opcode.operands.join(",")}` === name)
      .flatMap(formsOf)
      .find((one) => one.operandSize === size && one.addressing === addressing && one.model === model);
    if (form === undefined) throw new Error(`the table has no ${name} of this form`);
    const text = `${printHandler(form).join("\n")}\n`;
    const path = new URL(`${file}.wat`, GOLDEN);
    if (process.env["ISOLA_BLESS"] === "1") {
      mkdirSync(GOLDEN, { recursive: true });
      writeFileSync(path, text);
    }
    expect(text).toBe(readFileSync(path, "utf8"));
  });
});
