// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { OperatorError } from "@isola/base";
import { disassemble } from "@isola/isa-x86";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

const MODES = { "16": 16, "32": 32, "64": 64 } as const;
const BYTES_SHOWN = 10;

/** Bytes given in hexadecimal, blanks allowed, or null if `text` is something else. */
function fromHex(text: string): Uint8Array | null {
  const digits = text.replaceAll(/[\s,]|0x/gi, "");
  if (digits === "" || digits.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function readCode(operand: string): Uint8Array {
  const bytes = fromHex(operand);
  if (bytes !== null) return bytes;
  try {
    return readFileSync(operand);
  } catch (error) {
    throw new OperatorError("file-unreadable", `${operand} is neither a readable file nor an even number of hex digits`, {
      cause: error,
    });
  }
}

function startAddress(text: string): bigint {
  if (!/^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(text)) throw new UsageError(`--address ${text} is no address such as 0x7c00`);
  return BigInt(text);
}

export const disasm: Verb = {
  name: "disasm",
  synopsis: "FILE|HEX [--mode 16|32|64] [--address ADDR]",
  summary: "show machine code as instructions",
  options: {
    mode: { value: "16|32|64", help: "code size (64 unless given)" },
    address: { value: "ADDR", help: "where the first byte lies (0 unless given)" },
  },
  async run(line) {
    const [operand, ...more] = line.positionals;
    if (operand === undefined || more.length > 0) throw new UsageError("disasm takes one file, or bytes in hexadecimal in one word");
    const mode = line.get("mode") ?? "64";
    if (!Object.hasOwn(MODES, mode)) throw new UsageError(`--mode ${mode}: there are 16, 32 and 64`);
    const codeSize = MODES[mode as keyof typeof MODES];
    const start = startAddress(line.get("address") ?? "0");
    const code = readCode(operand);
    for (let at = 0; at < code.length; ) {
      const address = start + BigInt(at);
      const { text, length } = disassemble(code, at, code.length - at, { codeSize, vex: true }, address);
      const bytes = Array.from(code.subarray(at, at + length), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      process.stdout.write(`${address.toString(16).padStart(8)}:  ${bytes.padEnd(BYTES_SHOWN * 3)}  ${text}\n`);
      at += length;
    }
    return 0;
  },
};
