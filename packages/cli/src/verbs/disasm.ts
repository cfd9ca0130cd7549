// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { disassemble } from "@isola/isa-x86";
import { readBootFile } from "../machine-files.js";
import { parseInteger } from "../size.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

const BYTES_COLUMN = 32;

/** Bytes from the words of the command line: a file's name, or hexadecimal digits with or without spaces. */
function inputBytes(words: readonly string[]): Uint8Array {
  const [first = ""] = words;
  if (words.length === 1 && existsSync(first)) return readBootFile(first);
  const digits = words.join("").replace(/0x|[\s,]/gi, "");
  if (digits === "" || !/^([0-9a-f]{2})+$/i.test(digits))
    throw new UsageError(
      `disasm takes a file or bytes in hexadecimal, such as 4801d8, and "${words.join(" ")}" is neither`,
    );
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

function codeSize(text: string): 16 | 32 | 64 {
  if (text === "16" || text === "32" || text === "64") return Number(text) as 16 | 32 | 64;
  throw new UsageError(`--bits: "${text}" is not 16, 32 or 64`);
}

export const disasm: Verb = {
  name: "disasm",
  synopsis: "FILE|HEX [options]",
  summary: "show instructions in Intel syntax, as the engine decodes them",
  options: {
    bits: { value: "SIZE", help: "size of code: 16, 32 or 64 (default)" },
    address: { value: "ADDRESS", help: "address of the first byte (default 0)" },
  },
  async run(line) {
    const bytes = inputBytes(line.positionals);
    const mode = { codeSize: codeSize(line.get("bits") ?? "64"), vex: true };
    const base = parseInteger(line.get("address") ?? "0", "--address", 0, Number.MAX_SAFE_INTEGER);
    let text = "";
    for (let at = 0; at < bytes.length;) {
      const instruction = disassemble(bytes, at, bytes.length - at, mode, BigInt(base + at));
      const shown = Buffer.from(bytes.subarray(at, at + instruction.length)).toString("hex");
      const spaced = shown.replace(/..(?=.)/g, "$& ");
      text += `${(base + at).toString(16).padStart(8)}:  ${spaced.padEnd(BYTES_COLUMN)} ${instruction.text}\n`;
      at += instruction.length;
    }
    process.stdout.write(text);
    return 0;
  },
};
