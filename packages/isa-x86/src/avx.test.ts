// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { BareMachine, CODE } from "./cpu/bare-machine.fixture.js";

const DATA = 0x8_0000;
const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSI = 6;
const VECTORS = { UD: 6, NM: 7, GP: 13 } as const;
const CR0 = 0x8000_0033n;
const CR0_TS = 8n;
const CR0_EM = 4n;
const CR4 = 0x620n;
const CR4_OSXSAVE = 1n << 18n;
const ALL = 7n;

const VADDPS = "c5 f4 58 c2"; // vaddps ymm0, ymm1, ymm2
const ADDPS = "0f 58 c2"; // addps xmm0, xmm2
const XGETBV = "0f 01 d0";
const XSETBV = "0f 01 d1";
const XSAVE = "0f ae 26"; // xsave [rsi]
const XRSTOR = "0f ae 2e"; // xrstor [rsi]
const XSAVEC = "0f c7 26"; // xsavec [rsi]

let machine: BareMachine;
beforeEach(() => {
  machine = new BareMachine();
  for (const vector of Object.values(VECTORS))
    machine.handler(vector, `bb ${vector.toString(16).padStart(2, "0")} 00 00 00 f4`);
  machine.cpu.state.set("mxcsr", 0x1f80);
  machine.set(RSI, DATA);
  enable();
});

function enable(cr0 = CR0, cr4 = CR4 | CR4_OSXSAVE, xcr0 = ALL): void {
  const { state, record, engine } = machine.cpu;
  state.set64("cr0", cr0);
  state.set64("cr4", cr4);
  state.set64("xcr0", xcr0);
  engine.helpers.updateMode(record);
}

/** Runs instructions; the vector of the exception that ended them, or 0. */
function run(hex: string): number {
  machine.set(RBX, 0);
  machine.load(CODE, hex);
  machine.run();
  return Number(machine.get(RBX));
}

/** The four quarters of YMM n, the lowest first. */
function ymm(n: number): bigint[] {
  const bytes = machine.cpu.state.bytes("vec", n, 32);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [0, 8, 16, 24].map((at) => view.getBigUint64(at, true));
}

function setYmm(n: number, ...quarters: bigint[]): void {
  const bytes = machine.cpu.state.bytes("vec", n, 32);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [i, value] of quarters.entries()) view.setBigUint64(i * 8, value, true);
}

describe("AVX is available", () => {
  it("with OSXSAVE, XCR0 and a clear TS", () => expect(run(VADDPS)).toBe(0));

  it("whatever CR0.EM says, to VEX instructions only", () => {
    enable(CR0 | CR0_EM);
    expect(run(VADDPS)).toBe(0);
    expect(run(ADDPS)).toBe(VECTORS.UD);
  });

  it.each([
    ["#UD without CR4.OSXSAVE", CR0, CR4, ALL, VECTORS.UD],
    ["#UD without XCR0.AVX", CR0, CR4 | CR4_OSXSAVE, 3n, VECTORS.UD],
    ["#NM with CR0.TS", CR0 | CR0_TS, CR4 | CR4_OSXSAVE, ALL, VECTORS.NM],
    ["#UD rather than #NM", CR0 | CR0_TS, CR4, ALL, VECTORS.UD],
  ] as const)("%s", (_name, cr0, cr4, xcr0, vector) => {
    enable(cr0, cr4, xcr0);
    expect(run(VADDPS)).toBe(vector);
    // The general-purpose instructions with VEX do not depend on any of this: andn eax, ebx, ecx.
    expect(run("c4 e2 60 f2 c1")).toBe(0);
  });
});

describe("the upper half of a register", () => {
  it("stays in legacy instructions and becomes zero in VEX.128", () => {
    setYmm(0, 1n, 2n, 3n, 4n);
    expect(run("66 0f ef c0")).toBe(0); // pxor xmm0, xmm0
    expect(ymm(0)).toEqual([0n, 0n, 3n, 4n]);
    expect(run("c5 f9 ef c0")).toBe(0); // vpxor xmm0, xmm0, xmm0
    expect(ymm(0)).toEqual([0n, 0n, 0n, 0n]);
  });

  it("is cleared by VZEROUPPER; VZEROALL clears everything", () => {
    for (let i = 0; i < 16; i++) setYmm(i, 1n, 2n, 3n, 4n);
    expect(run("c5 f8 77")).toBe(0);
    for (let i = 0; i < 16; i++) expect(ymm(i)).toEqual([1n, 2n, 0n, 0n]);
    expect(run("c5 fc 77")).toBe(0);
    for (let i = 0; i < 16; i++) expect(ymm(i)).toEqual([0n, 0n, 0n, 0n]);
  });
});

describe("XGETBV and XSETBV", () => {
  it("read and write XCR0", () => {
    machine.set(RCX, 0);
    expect(run(XGETBV)).toBe(0);
    expect([machine.get(RAX), machine.get(RDX)]).toEqual([7n, 0n]);
    machine.set(RAX, 3);
    expect(run(XSETBV)).toBe(0);
    expect(machine.cpu.state.get64("xcr0")).toBe(3n);
    expect(run(VADDPS)).toBe(VECTORS.UD);
  });

  it("XGETBV with ECX = 1 tells which components are in use", () => {
    machine.set(RCX, 1);
    setYmm(5, 0n, 0n, 1n);
    expect(run(`db e3 ${XGETBV}`)).toBe(0); // fninit
    expect(machine.get(RAX)).toBe(4n);
  });

  it.each([
    ["x87 left out", 6, 0, 0],
    ["AVX without SSE", 5, 0, 0],
    ["an unknown component", 15, 0, 0],
    ["upper bits", 7, 1, 0],
    ["another register", 7, 0, 1],
  ])("XSETBV refuses: %s", (_name, rax, rdx, rcx) => {
    machine.set(RAX, rax);
    machine.set(RDX, rdx);
    machine.set(RCX, rcx);
    expect(run(XSETBV)).toBe(VECTORS.GP);
    expect(machine.cpu.state.get64("xcr0")).toBe(ALL);
  });

  it("are #UD without CR4.OSXSAVE; XGETBV knows two registers", () => {
    machine.set(RCX, 2);
    expect(run(XGETBV)).toBe(VECTORS.GP);
    enable(CR0, CR4);
    expect(run(XGETBV)).toBe(VECTORS.UD);
    expect(run(XSETBV)).toBe(VECTORS.UD);
  });
});

describe("XSAVE and XRSTOR", () => {
  beforeEach(() => {
    machine.set(RAX, 7);
    machine.set(RDX, 0);
  });

  it("keep the whole state", () => {
    for (let i = 0; i < 16; i++) setYmm(i, BigInt(i), 2n, 3n, ~BigInt(i) & 0xffn);
    expect(run(XSAVE)).toBe(0);
    expect(machine.engine.ram.u64(DATA + 512) & 6n).toBe(6n);
    for (let i = 0; i < 16; i++) setYmm(i, 0n, 0n, 0n, 0n);
    machine.cpu.state.set("mxcsr", 0x1fbf);
    expect(run(XRSTOR)).toBe(0);
    for (let i = 0; i < 16; i++) expect(ymm(i)).toEqual([BigInt(i), 2n, 3n, ~BigInt(i) & 0xffn]);
    expect(machine.cpu.state.get("mxcsr")).toBe(0x1f80);
  });

  it("XSAVEC leaves out what is in its initial state, XRSTOR puts that back", () => {
    expect(run(`db e3 ${XSAVEC}`)).toBe(0); // fninit
    expect(machine.engine.ram.u64(DATA + 512)).toBe(0n);
    expect(machine.engine.ram.u64(DATA + 520)).toBe((1n << 63n) | 7n);
    setYmm(3, 1n, 2n, 3n, 4n);
    expect(run(XRSTOR)).toBe(0);
    expect(ymm(3)).toEqual([0n, 0n, 0n, 0n]);
  });

  it.each([
    ["#UD without CR4.OSXSAVE", CR0 | CR0_TS, CR4, 1, VECTORS.UD],
    ["#NM with CR0.TS", CR0 | CR0_TS, CR4 | CR4_OSXSAVE, 1, VECTORS.NM],
    ["#GP at other than multiples of 64", CR0, CR4 | CR4_OSXSAVE, 32, VECTORS.GP],
  ])("%s", (_name, cr0, cr4, offset, vector) => {
    enable(cr0, cr4);
    machine.set(RSI, DATA + offset);
    for (const instruction of [XSAVE, XSAVEC, XRSTOR]) expect(run(instruction)).toBe(vector);
  });

  it.each([
    ["a component that XCR0 lacks", 512, 8n],
    ["reserved bytes of the header", 528, 1n],
    ["a format that is not the compacted one", 520, 7n],
    ["reserved bits of MXCSR", 24, 0x1_0000n],
  ])("XRSTOR refuses %s", (_name, at, value) => {
    setYmm(2, 1n, 2n, 3n, 4n);
    expect(run(XSAVE)).toBe(0);
    machine.engine.ram.setU64(DATA + at, value);
    setYmm(2, 5n);
    expect(run(XRSTOR)).toBe(VECTORS.GP);
    expect(ymm(2)).toEqual([5n, 2n, 3n, 4n]);
  });
});
