// SPDX-License-Identifier: Apache-2.0
import { InternalError } from "@isola/base";
import { ByteReader } from "./byte-reader.js";
import { VALUE_TYPE_CODE } from "./code.js";
import { laneOps, memoryOps, plainOps, type ValueType } from "./opcodes.js";

type Immediate = "none" | "block" | "index" | "index2" | "memory" | "lane" | "i32" | "i64" | "f32" | "v128" | "shuffle";

const STRUCTURED: readonly (readonly [code: number, name: string, immediate: Immediate])[] = [
  [0x00, "unreachable", "none"],
  [0x02, "block", "block"],
  [0x03, "loop", "block"],
  [0x04, "if", "block"],
  [0x05, "else", "none"],
  [0x0b, "end", "none"],
  [0x0c, "br", "index"],
  [0x0d, "br_if", "index"],
  [0x0f, "return", "none"],
  [0x10, "call", "index"],
  [0x12, "return_call", "index"],
  [0x13, "return_call_indirect", "index2"],
  [0x1a, "drop", "none"],
  [0x1b, "select", "none"],
  [0x20, "local.get", "index"],
  [0x21, "local.set", "index"],
  [0x22, "local.tee", "index"],
  [0x41, "i32.const", "i32"],
  [0x42, "i64.const", "i64"],
  [0x43, "f32.const", "f32"],
  [0xfd000c, "v128.const", "v128"],
  [0xfd000d, "i8x16.shuffle", "shuffle"],
];

const NAMES: ReadonlyMap<number, readonly [name: string, immediate: Immediate]> = new Map([
  ...STRUCTURED.map(([code, name, immediate]) => [code, [name, immediate]] as const),
  ...Object.entries(plainOps).map(([name, { code }]) => [code, [name, "none"]] as const),
  ...Object.entries(memoryOps).map(([name, { code }]) => [code, [name, "memory"]] as const),
  ...Object.entries(laneOps).map(([name, { code }]) => [code, [name, "lane"]] as const),
]);

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  (Object.keys(VALUE_TYPE_CODE) as ValueType[]).map((type) => [VALUE_TYPE_CODE[type], type]),
);

/**
 * The instructions of a function body as text, one a line, indented by nesting: for golden files and for looking at what
 * an emitter wrote. `functionName` names call targets.
 */
export function printCode(bytes: Uint8Array, functionName: (index: number) => string): string[] {
  const reader = new CodeReader(bytes);
  const lines: string[] = [];
  let depth = 0;
  while (!reader.done) {
    const code = reader.opcode();
    const known = NAMES.get(code);
    if (known === undefined) throw new InternalError(`unknown opcode ${code.toString(16)}`);
    const [name, immediate] = known;
    if (name === "end" || name === "else") depth--;
    lines.push(`${"  ".repeat(depth)}${name}${reader.immediate(immediate, name, functionName)}`);
    if (immediate === "block" || name === "else") depth++;
  }
  return lines;
}

class CodeReader extends ByteReader {
  opcode(): number {
    const first = this.byte();
    if (first === 0xfd) return 0xfd0000 + this.unsigned();
    return first === 0xfc ? 0xfc00 + this.unsigned() : first;
  }

  immediate(kind: Immediate, name: string, functionName: (index: number) => string): string {
    switch (kind) {
      case "none":
        return "";
      case "block": {
        const type = TYPE_NAMES.get(this.byte());
        return type === undefined ? "" : ` (result ${type})`;
      }
      case "index": {
        const index = this.unsigned();
        return name.includes("call") ? ` $${functionName(index)}` : ` ${index}`;
      }
      case "index2": {
        const type = this.unsigned();
        return ` ${this.unsigned()} (type ${type})`;
      }
      case "memory": {
        this.unsigned();
        const offset = this.unsigned();
        return offset === 0 ? "" : ` offset=${offset}`;
      }
      case "lane":
        return ` ${this.byte()}`;
      case "i32":
        return ` ${BigInt.asIntN(32, this.signed())}`;
      case "i64":
        return ` ${this.signed()}`;
      case "f32":
        return ` 0x${this.take(4).reverse().map(hexByte).join("")}`;
      case "v128":
      case "shuffle":
        return ` ${this.take(16).join(" ")}`;
    }
  }

  override byte(): number {
    if (this.done) throw new InternalError("the code ends inside an instruction");
    return super.byte();
  }

  private take(count: number): number[] {
    return Array.from({ length: count }, () => this.byte());
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
