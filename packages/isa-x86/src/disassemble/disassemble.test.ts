// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DecodeMode } from "../decode/instruction.js";
import { disassemble } from "./disassemble.js";
import { randomInstructions } from "../random-instructions.fixture.js";

const MODES: readonly (DecodeMode & { readonly machine: string })[] = [
  { codeSize: 64, vex: true, machine: "i386:x86-64" },
  { codeSize: 32, vex: true, machine: "i386" },
  { codeSize: 16, vex: false, machine: "i8086" },
];
const SLOT = 16;
const NOP = 0x90;

const hasObjdump = spawnSync("objdump", ["--version"]).status === 0;
if (!hasObjdump) process.stderr.write("SKIPPED: disassembly is not compared, there is no objdump\n");

/** One line of text by address. */
function objdump(code: Uint8Array, machine: string): Map<number, string> {
  const directory = mkdtempSync(join(tmpdir(), "disassemble-"));
  try {
    const path = join(directory, "code.bin");
    writeFileSync(path, code);
    const { stdout } = spawnSync("objdump", ["-D", "-b", "binary", "-m", machine, "-M", "intel", "-w", path], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const lines = new Map<number, string>();
    for (const line of stdout.split("\n")) {
      const match = /^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/.exec(line);
      if (match !== null) lines.set(parseInt(match[1] ?? "", 16), normalise(match[2] ?? ""));
    }
    return lines;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Without comments, symbols, REX prefixes that have no effect, and absent index registers. */
function normalise(text: string): string {
  return text
    .replace(/^rex(\.\w+)? /, "")
    .replace(/\+[er]iz\*\d/, "")
    .replace("OWORD", "XMMWORD")
    .replace(/\s*[#<].*$/, "")
    .replace(/\s+/g, " ")
    .trim();
}

describe("disassemble", () => {
  it.each([
    ["4801d8", "add rax,rbx"],
    ["f00fb10f", "lock cmpxchg DWORD PTR [rdi],ecx"],
    ["f348a5", "rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]"],
    ["48b88877665544332211", "movabs rax,0x1122334455667788"],
    ["6548ff34d5f8ffffff", "push QWORD PTR gs:[rdx*8-0x8]"],
    ["e8fbffffff", "call 0x1000"],
    ["c4e2f8f2c3", "andn rax,rax,rbx"],
    ["660f1f440000", "nop WORD PTR [rax+rax*1+0x0]"],
    ["06", "(bad)"],
  ])("%s", (hex, text) => {
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    const mode: DecodeMode = { codeSize: 64, vex: true };
    expect(disassemble(bytes, 0, bytes.length, mode, 0x1000n).text).toBe(text);
  });

  it.skipIf(!hasObjdump).each(MODES)("agrees with objdump on $codeSize-bit code", (mode) => {
    const instructions = randomInstructions(mode, 20);
    const wrong: string[] = [];
    // 16-bit code has 64 KiB at most.
    for (let first = 0; first < instructions.length; first += 0x1_0000 / SLOT)
      wrong.push(...differences(instructions.slice(first, first + 0x1_0000 / SLOT), mode));
    expect(instructions.length).toBeGreaterThan(5000);
    expect(wrong).toEqual([]);
  });
});

/** One line for each instruction that the two disassemblers write differently. */
function differences(instructions: readonly Uint8Array[], mode: (typeof MODES)[number]): string[] {
  const code = new Uint8Array(instructions.length * SLOT).fill(NOP);
  instructions.forEach((bytes, i) => code.set(bytes, i * SLOT));
  const expected = objdump(code, mode.machine);
  const wrong: string[] = [];
  instructions.forEach((bytes, i) => {
    const address = i * SLOT;
    const { text, length } = disassemble(code, address, SLOT, mode, BigInt(address));
    const theirs = expected.get(address);
    if (normalise(text) !== theirs || length !== bytes.length)
      wrong.push(`${Buffer.from(bytes).toString("hex")}: ${text} (${length}), objdump: ${theirs}`);
  });
  return wrong;
}
