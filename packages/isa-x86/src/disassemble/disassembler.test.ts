// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Disassembler } from "./disassembler.js";

const bytesOf = (hex: string) => Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));

function disassemble(hex: string, codeSize: 16 | 32 | 64, rip = 0x1000n): string {
  const bytes = bytesOf(hex);
  const { text, length } = new Disassembler(codeSize).at(bytes, 0, rip);
  return length === bytes.length ? text : `${text} (${length} of ${bytes.length} bytes)`;
}

/** Code size, bytes, text. */
const GOLDEN: readonly (readonly [16 | 32 | 64, string, string])[] = [
  [64, "48 01 d8", "add rax,rbx"],
  [64, "f0 48 0f c1 03", "lock xadd QWORD PTR [rbx],rax"],
  [64, "83 c0 ff", "add eax,0xffffffff"],
  [64, "48 83 ec 08", "sub rsp,0x8"],
  [64, "04 ff", "add al,0xff"],
  [64, "48 8d 05 10 00 00 00", "lea rax,[rip+0x10]"],
  [64, "8b 44 8d f8", "mov eax,DWORD PTR [rbp+rcx*4-0x8]"],
  [64, "64 48 8b 04 25 28 00 00 00", "mov rax,QWORD PTR fs:0x28"],
  [64, "40 88 f5", "mov bpl,sil"],
  [64, "88 f5", "mov ch,dh"],
  [64, "45 88 c1", "mov r9b,r8b"],
  [64, "48 b8 88 77 66 55 44 33 22 11", "mov rax,0x1122334455667788"],
  [64, "eb fe", "jmp 0x1000"],
  [64, "0f 84 00 01 00 00", "je 0x1106"],
  [64, "e8 fb ff ff ff", "call 0x1000"],
  [64, "ff 15 00 00 00 00", "call QWORD PTR [rip+0x0]"],
  [64, "f3 48 a5", "rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]"],
  [64, "f3 a6", "repz cmps BYTE PTR ds:[rsi],BYTE PTR es:[rdi]"],
  [64, "48 98", "cdqe"],
  [64, "48 cf", "iretq"],
  [64, "0f 20 d8", "mov rax,cr3"],
  [64, "41 0f 22 e0", "mov cr4,r8"],
  [64, "66 0f 6f 48 10", "movdqa xmm1,XMMWORD PTR [rax+0x10]"],
  [64, "f2 0f 58 c1", "addsd xmm0,xmm1"],
  [64, "d8 c1", "fadd st,st(1)"],
  [64, "de c9", "fmulp st(1),st"],
  [64, "d9 c9", "fxch st(1)"],
  [64, "66 48 0f 6e c0", "movq xmm0,rax"],
  [64, "db 28", "fld TBYTE PTR [rax]"],
  [64, "48 c7 44 24 08 ff ff ff ff", "mov QWORD PTR [rsp+0x8],0xffffffffffffffff"],
  [64, "0f 1f 44 00 00", "nop DWORD PTR [rax+rax*1]"],
  [64, "48 8d 05 92 fe ff ff", "lea rax,[rip-0x16e]"],
  [64, "d7", "xlat BYTE PTR ds:[rbx]"],
  [64, "c8 10 00 01", "enter 0x10,0x1"],
  [64, "06", "(bad)"],
  [64, "48", "(truncated)"],
  [32, "06", "push es"],
  [32, "ea 78 56 34 12 08 00", "jmp 0x8:0x12345678"],
  [32, "66 40", "inc ax"],
  [32, "a1 78 56 34 12", "mov eax,DWORD PTR ds:0x12345678"],
  [32, "67 8b 40 04", "mov eax,DWORD PTR [bx+si+0x4]"],
  [32, "c5 00", "lds eax,FWORD PTR [eax]"],
  [16, "8e d8", "mov ds,ax"],
  [16, "cd 10", "int 0x10"],
  [16, "66 b8 01 00 00 00", "mov eax,0x1"],
  [16, "75 fb", "jne 0xffd"],
];

describe("the disassembler", () => {
  it.each(GOLDEN)("%d bits: %s is %s", (codeSize, bytes, text) => {
    expect(disassemble(bytes, codeSize)).toBe(text);
  });
});

const hasCompiler = spawnSync("cc", ["--version"]).status === 0 && spawnSync("objdump", ["--version"]).status === 0;

/** Integer, floating-point and vector code as a compiler makes it. */
const SAMPLE = `
#include <stddef.h>
unsigned crc(const unsigned char *p, size_t n) { unsigned c = ~0u; while (n--) { c ^= *p++;
  for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1; } return ~c; }
double dot(const double *a, const float *b, int n) { double s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; return s; }
long double ld(long double x, int y) { return x * y + 1.5L; }
long divide(long a, long b, int *r) { *r = (int)(a % b); return a / b; }
struct s { char c; short h; int i; long l; } g[10];
int sum(void) { int t = 0; for (int i = 0; i < 10; i++) t += g[i].c + g[i].h - g[i].i * 3 + (g[i].l > t); return t; }
_Bool cas(long *p, long a, long b) { return __atomic_compare_exchange_n(p, &a, b, 0, 5, 5); }
int sw(int x) { switch (x) { case 1: return 7; case 2: return 9; case 3: return -1; case 4: return x * 12; case 5: return 0; } return 3; }
void copy(int *restrict d, const int *restrict s, int n) { for (int i = 0; i < n; i++) d[i] = s[i] + i; }
`;

/** Listing of objdump: bytes and text of each instruction. */
function objdump(folder: string, flags: readonly string[]): { bytes: Uint8Array; text: string; address: bigint }[] {
  writeFileSync(join(folder, "sample.c"), SAMPLE);
  const compiled = spawnSync("cc", ["-c", ...flags, "-o", "sample.o", "sample.c"], { cwd: folder, encoding: "utf8" });
  expect(compiled.stderr).not.toMatch(/error/);
  const listing = spawnSync("objdump", ["-d", "-M", "intel", "--insn-width=16", "-j", ".text", "sample.o"], {
    cwd: folder,
    encoding: "utf8",
  }).stdout;
  return [...listing.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$/gm)].map(
    ([, address = "", bytes = "", text = ""]) => ({
      address: BigInt(`0x${address}`),
      bytes: bytesOf(bytes),
      text,
    }),
  );
}

/** Takes away what is taste: comments, symbols, sizes of implied operands, spelling of numbers. */
function normalized(text: string): string {
  return text
    .replace(/\s*[#<].*$/, "")
    .replace(/\s+/g, " ")
    .replace(/^(j\w+|call|loop\w*) ([0-9a-f]+)$/, "$1 0x$2")
    .replace(/^movabs/, "mov")
    .replace(/\+0x0\]/g, "]")
    .replace(/^(cs |data16 |bnd |notrack )+/, "")
    .replace(/^repz (ret|endbr)/, "$1")
    .replace("xchg ax,ax", "nop")
    .replace(
      /\[rip\+0x(f{8}[0-9a-f]{8})\]/,
      (_all, high: string) => `[rip-0x${(2n ** 64n - BigInt(`0x${high}`)).toString(16)}]`,
    )
    .trim();
}

describe.skipIf(!hasCompiler)("the disassembler beside objdump (skipped without cc and objdump)", () => {
  it.each([
    ["64 bits, -O2", ["-O2"], 64],
    ["64 bits, -O0", ["-O0"], 64],
    ["64 bits, -Os", ["-Os"], 64],
  ] as const)("reads a compiler's code alike: %s", (_name, flags, codeSize) => {
    const folder = mkdtempSync(join(tmpdir(), "isola-disasm-"));
    try {
      const ours = new Disassembler(codeSize);
      const lines = objdump(folder, flags);
      expect(lines.length).toBeGreaterThan(70);
      const different = lines.flatMap(({ bytes, text, address }) => {
        const { text: mine, length } = ours.at(bytes, 0, address);
        const same = length === bytes.length && normalized(mine) === normalized(text);
        return same ? [] : [`${[...bytes].map((byte) => byte.toString(16)).join(" ")}: ${mine} | ${text}`];
      });
      expect(different).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
