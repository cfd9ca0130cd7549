// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { BareMachine, CODE } from "./cpu/bare-machine.fixture.js";

const DATA = 0x8_0000;
const UNMAPPED = 0x20_0000;
const RBX = 3;
const RSI = 6;
const RDI = 7;
const VECTORS = { UD: 6, NM: 7, GP: 13, PF: 14, MF: 16, XM: 19 } as const;
const MXCSR_DEFAULT = 0x1f80;
const ZE = 1 << 2;

let machine: BareMachine;
beforeEach(() => {
  machine = new BareMachine();
  // Each handler says in EBX which vector it is, and ends the run.
  for (const vector of Object.values(VECTORS))
    machine.handler(vector, `bb ${vector.toString(16).padStart(2, "0")} 00 00 00 f4`);
  machine.cpu.state.set("mxcsr", MXCSR_DEFAULT);
  machine.set(RSI, DATA);
});

/** Runs instructions; the vector of the exception that ended them, or 0. */
function run(hex: string): number {
  machine.set(RBX, 0);
  machine.load(CODE, hex);
  machine.run();
  return Number(machine.get(RBX));
}

/** The two halves of XMM n. */
function xmm(n: number): [bigint, bigint] {
  const bytes = machine.cpu.state.bytes("vec", n, 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getBigUint64(0, true), view.getBigUint64(8, true)];
}

function setXmm(n: number, low: bigint, high = 0n): void {
  const bytes = machine.cpu.state.bytes("vec", n, 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setBigUint64(0, low, true);
  view.setBigUint64(8, high, true);
}

const ONE = 0x3ff0_0000_0000_0000n;

describe("floating-point exceptions", () => {
  const divide = "f2 0f 5e c1"; // divsd xmm0, xmm1

  it("masked: sets the flag and goes on", () => {
    setXmm(0, ONE, 5n);
    expect(run(divide)).toBe(0);
    expect(xmm(0)).toEqual([0x7ff0_0000_0000_0000n, 5n]);
    expect(machine.cpu.state.get("mxcsr")).toBe(MXCSR_DEFAULT | ZE);
  });

  it("unmasked: #XM, the flag is set, the destination stays", () => {
    machine.cpu.state.set("mxcsr", MXCSR_DEFAULT & ~(ZE << 7));
    setXmm(0, ONE, 5n);
    expect(run(divide)).toBe(VECTORS.XM);
    expect(xmm(0)).toEqual([ONE, 5n]);
    expect(machine.cpu.state.get("mxcsr")).toBe((MXCSR_DEFAULT & ~(ZE << 7)) | ZE);
  });

  it("unmasked without CR4.OSXMMEXCPT: #UD", () => {
    machine.cpu.state.set64("cr4", 0x220n);
    machine.engine.helpers.updateMode(machine.cpu.record);
    machine.cpu.state.set("mxcsr", MXCSR_DEFAULT & ~(ZE << 7));
    setXmm(0, ONE);
    expect(run(divide)).toBe(VECTORS.UD);
  });

  it("LDMXCSR with reserved bits: #GP, nothing loaded", () => {
    machine.engine.ram.setU64(DATA, 0x1_1f80n);
    expect(run("0f ae 16")).toBe(VECTORS.GP);
    expect(machine.cpu.state.get("mxcsr")).toBe(MXCSR_DEFAULT);
  });
});

describe("availability", () => {
  it("CR0.TS gives #NM, CR4.OSFXSR = 0 gives #UD for XMM but not for MMX", () => {
    machine.cpu.state.set64("cr0", 0x8000_003bn);
    machine.engine.helpers.updateMode(machine.cpu.record);
    expect(run("66 0f fe c1")).toBe(VECTORS.NM);
    expect(run("0f fe c1")).toBe(VECTORS.NM);
    machine.cpu.state.set64("cr0", 0x8000_0033n);
    machine.cpu.state.set64("cr4", 0x420n);
    machine.engine.helpers.updateMode(machine.cpu.record);
    expect(run("66 0f fe c1")).toBe(VECTORS.UD);
    expect(run("0f fe c1")).toBe(0);
  });
});

describe("memory operands", () => {
  it("must be aligned, but for the unaligned moves and scalars", () => {
    machine.set(RSI, DATA + 8);
    expect(run("0f 28 06")).toBe(VECTORS.GP); // movaps xmm0, [rsi]
    expect(run("66 0f fe 06")).toBe(VECTORS.GP); // paddd xmm0, [rsi]
    expect(run("0f 10 06")).toBe(0); // movups
    expect(run("66 0f 3a 63 06 08")).toBe(0); // pcmpistri
    expect(run("f2 0f 58 06")).toBe(0); // addsd
  });

  it("MOVSS from memory clears the upper lanes, from a register it keeps them", () => {
    machine.engine.ram.setU64(DATA, 0x1111_1111_2222_2222n);
    setXmm(0, ~0n, ~0n);
    run("f3 0f 10 06");
    expect(xmm(0)).toEqual([0x2222_2222n, 0n]);
    setXmm(1, 0x3333_3333_3333_3333n);
    setXmm(0, 0x4444_4444_4444_4444n, 7n);
    run("f3 0f 10 c1");
    expect(xmm(0)).toEqual([0x4444_4444_3333_3333n, 7n]);
  });

  it("MASKMOVDQU writes the selected bytes only", () => {
    machine.set(RDI, DATA + 1);
    machine.engine.ram.setU64(DATA, 0n);
    setXmm(0, 0x8877_6655_4433_2211n, 0n);
    setXmm(1, 0x8000_0000_0080_7f80n, 0n);
    expect(run("66 0f f7 c1")).toBe(0);
    expect(machine.engine.ram.peek(DATA, 10)).toEqual(Uint8Array.from([0, 0x11, 0, 0x33, 0, 0, 0, 0, 0x88, 0]));
  });
});

describe("MMX", () => {
  it("switches the x87 state and writes ones into the exponent", () => {
    const { state } = machine.cpu;
    state.set("fpTop", 5);
    state.set("fpTag", 0);
    expect(run("0f ef c9")).toBe(0); // pxor mm1, mm1
    expect([state.get("fpTop"), state.get("fpTag")]).toEqual([0, 0xff]);
    expect([...state.bytes("fpr", 1, 10)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
  });

  it("does not switch when a load faults", () => {
    const { state } = machine.cpu;
    state.set("fpTop", 5);
    state.set("fpTag", 3);
    machine.set(RSI, UNMAPPED);
    expect(run("0f fc 0e")).toBe(VECTORS.PF); // paddb mm1, [rsi]
    expect([state.get("fpTop"), state.get("fpTag")]).toEqual([5, 3]);
  });

  it("raises a pending #MF before it looks at memory", () => {
    machine.cpu.state.set("fsw", 0x8081);
    machine.cpu.state.set("fcw", 0x37e);
    machine.set(RSI, UNMAPPED);
    expect(run("0f fc 0e")).toBe(VECTORS.MF);
    expect(run("66 0f fc c1")).toBe(0); // the XMM form does not care
  });
});
