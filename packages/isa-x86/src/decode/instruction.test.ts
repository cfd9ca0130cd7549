// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Semantics } from "../semantics/semantics.js";
import { op } from "../table/opcode.js";
import { BASE_RIP, DecodedInstruction, NO_REGISTER, Segment } from "./decoded-instruction.js";
import { type DecodeMode, DecodeStatus, InstructionDecoder } from "./instruction.js";

const none: Semantics = () => undefined;
const table = [
  op("01 /r", "add Ev,Gv", none, { lock: true }),
  op("83 /0", "add Ev,Ib", none, { lock: true }),
  op("81 /0", "add Ev,Iz", none, { lock: true }),
  op("40 +r", "inc Zv", none, { only: "not64" }),
  op("50 +r", "push Zv", none, { size64: "default64", model: true }),
  op("f3 90", "pause", none),
  op("90", "nop", none),
  op("90 +r", "xchg Zv,rAX", none),
  op("a1", "mov rAX,Ov", none),
  op("b8 +r", "mov Zv,Iv", none),
  op("c4 /r", "les Gz,Mp", none, { only: "not64" }),
  op("c8", "enter Lw,Lb", none, { size64: "default64" }),
  op("9a", "callf Ap", none, { only: "not64" }),
  op("e8", "call Jz", none, { size64: "force64", model: true }),
  op("8e /r", "mov Sw,Ew", none),
  op("0f 20 /r", "mov Ry,Cy", none, { size64: "force64" }),
  op("f3 0f b8 /r", "popcnt Gv,Ev", none),
  op("66 0f 6f /r", "movdqa Vx,Wx", none),
  op("np 0f 6f /r", "movq Pq,Qq", none),
  op("66 0f 38 f6 /r", "adcx Gy,Ey", none),
  op("f2 0f 38 f0 /r", "crc32 Gd,Eb", none),
  op("0f 01 f8 modrm", "swapgs", none, { only: "64" }),
  op("0f 01 /2", "lgdt Ms", none),
  op("d8 /0 mem", "fadd Md", none),
  op("d8 /0 reg", "fadd F", none),
  op("vex.128 0f 38 f2 /r", "andn Gy,By,Ey", none),
  op("vex.128 f2 0f 3a f0 /r", "rorx Gy,Ey,Ib", none),
  op("vex.256 66 w0 0f 38 90 /r mem", "vpgatherdd Vx,Md,Hx", none, { elements: true, vsib: "x" }),
  op("vex.128 66 w0 0f 3a 4a /r", "vblendvps Vx,Hx,Wx,Kx", none),
  op("vex.lig f3 0f 10 /r mem", "vmovss Vd,Md", none),
];
const decoder = new InstructionDecoder(table);
const LONG: DecodeMode = { codeSize: 64, vex: true };
const FLAT: DecodeMode = { codeSize: 32, vex: true };
const REAL: DecodeMode = { codeSize: 16, vex: false };

function decode(hex: string, mode: DecodeMode = LONG): DecodedInstruction {
  const out = new DecodedInstruction(table[0]);
  const bytes = parse(hex);
  expect(decoder.decode(bytes, 0, bytes.length, mode, out)).toBe(DecodeStatus.Ok);
  expect(out.length).toBe(bytes.length);
  for (let available = 0; available < bytes.length; available++)
    expect(decoder.decode(bytes, 0, available, mode, new DecodedInstruction(table[0]))).toBe(DecodeStatus.NeedMore);
  return out;
}

function status(hex: string, mode: DecodeMode = LONG): DecodeStatus {
  const bytes = parse(hex);
  return decoder.decode(bytes, 0, bytes.length, mode, new DecodedInstruction(table[0]));
}

function parse(hex: string): Uint8Array {
  return new Uint8Array((hex.replaceAll(" ", "").match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
}

describe("operand and address size", () => {
  it.each([
    ["01 c8", LONG, 32],
    ["66 01 c8", LONG, 16],
    ["48 01 c8", LONG, 64],
    ["66 48 01 c8", LONG, 64],
    ["48 66 01 c8", LONG, 16],
    ["50", LONG, 64],
    ["66 50", LONG, 16],
    ["50", FLAT, 32],
    ["50", REAL, 16],
    ["66 50", REAL, 32],
    ["e8 01 02 03 04", LONG, 64],
    ["66 e8 01 02 03 04", LONG, 64],
    ["66 e8 01 02", FLAT, 16],
    ["66 0f 38 f6 c1", LONG, 32],
    ["66 48 0f 38 f6 c1", LONG, 64],
  ] as const)("%s", (hex, mode, size) => {
    expect(decode(hex, mode).operandSize).toBe(size);
  });

  it("takes the address size from the mode and 67", () => {
    expect(decode("01 08").addressSize).toBe(64);
    expect(decode("67 01 08").addressSize).toBe(32);
    expect(decode("67 01 08", FLAT).addressSize).toBe(16);
    expect(decode("67 01 08", REAL).addressSize).toBe(32);
  });
});

describe("memory operands", () => {
  it.each([
    ["01 08", LONG, { base: 0, index: NO_REGISTER, displacement: 0, segment: Segment.DS }],
    ["45 01 4d 80", LONG, { reg: 9, base: 13, displacement: -128, segment: Segment.DS }],
    ["01 4d 80", LONG, { reg: 1, base: 5, displacement: -128, segment: Segment.SS }],
    ["64 01 4d 80", LONG, { base: 5, segment: Segment.FS, segmentOverride: Segment.FS }],
    ["2e 01 4d 80", LONG, { base: 5, segment: Segment.SS, segmentOverride: -1 }],
    ["2e 01 4d 80", FLAT, { base: 5, segment: Segment.CS }],
    ["01 0d 78 56 34 f2", LONG, { base: BASE_RIP, displacement: 0xf2345678 | 0, displacementHigh: -1 }],
    ["01 0d 78 56 34 12", FLAT, { base: NO_REGISTER, displacement: 0x12345678 }],
    ["43 01 0c a6", LONG, { base: 14, index: 12, scale: 2, segment: Segment.DS }],
    ["01 0c 24", LONG, { base: 4, index: NO_REGISTER, segment: Segment.SS }],
    ["01 0c 25 01 00 00 00", LONG, { base: NO_REGISTER, index: NO_REGISTER, displacement: 1 }],
    ["01 0c ed 01 00 00 00", LONG, { base: NO_REGISTER, index: 5, scale: 3, segment: Segment.DS }],
    ["41 01 44 25 05", LONG, { base: 13, index: NO_REGISTER, displacement: 5 }],
    ["01 02", REAL, { base: 5, index: 6, segment: Segment.SS }],
    ["01 44 fe", REAL, { base: 6, index: NO_REGISTER, displacement: -2, segment: Segment.DS }],
    ["01 0e 34 12", REAL, { base: NO_REGISTER, displacement: 0x1234, segment: Segment.DS }],
    ["01 8f 34 f2", REAL, { base: 3, index: NO_REGISTER, displacement: 0xfffff234 | 0 }],
    [
      "48 a1 01 02 03 04 05 06 07 88",
      LONG,
      { base: NO_REGISTER, displacement: 0x04030201, displacementHigh: 0x88070605 | 0 },
    ],
    ["67 a1 01 02 03 84", LONG, { displacement: 0x84030201 | 0, displacementHigh: 0 }],
    ["a1 01 82", REAL, { displacement: 0x8201, displacementHigh: 0 }],
  ] as const)("%s", (hex, mode, expected) => {
    expect(decode(hex, mode)).toMatchObject({ memory: true, ...expected });
  });
});

describe("immediates", () => {
  it.each([
    ["83 c0 80", LONG, -128, -1],
    ["81 c0 01 00 00 80", LONG, 0x80000001 | 0, -1],
    ["66 81 c0 01 80", LONG, 0xffff8001 | 0, -1],
    ["48 b8 01 02 03 04 05 06 07 08", LONG, 0x04030201, 0x08070605],
    ["c8 34 92 05", LONG, 0x9234, 5],
    ["9a 78 56 34 12 cd ab", FLAT, 0x12345678, 0xabcd],
    ["9a 34 12 cd ab", REAL, 0x1234, 0xabcd],
    ["e8 fe ff", REAL, -2, -1],
    ["d8 c5", LONG, 5, 0],
  ] as const)("%s", (hex, mode, low, high) => {
    expect(decode(hex, mode)).toMatchObject({ immediateLow: low, immediateHigh: high });
  });
});

describe("selection of the table line", () => {
  it.each([
    ["90", LONG, "nop"],
    ["f3 90", LONG, "pause"],
    ["41 90", LONG, "xchg"],
    ["66 90", LONG, "nop"],
    ["91", LONG, "xchg"],
    ["40", FLAT, "inc"],
    ["0f 6f c1", LONG, "movq"],
    ["66 0f 6f c1", LONG, "movdqa"],
    ["f2 66 f3 0f b8 c1", LONG, "popcnt"],
    ["0f 01 f8", LONG, "swapgs"],
    ["0f 01 10", LONG, "lgdt"],
    ["c4 08", FLAT, "les"],
    ["c4 e2 70 f2 c1", FLAT, "andn"],
    ["0f 20 04", LONG, "mov"],
  ] as const)("%s", (hex, mode, name) => {
    expect(decode(hex, mode).opcode.name).toBe(name);
  });

  it("takes the index of a VSIB address from all vector registers", () => {
    // [rax + ymm12 * 4], which would be no index at all with a general-purpose register
    expect(decode("c4 a2 75 90 04 a0")).toMatchObject({
      base: 0,
      index: NO_REGISTER,
      rm: 12,
      scale: 2,
      vvvv: 1,
      reg: 0,
    });
    expect(decode("c4 e2 75 90 04 e0", FLAT)).toMatchObject({ base: 0, rm: 4, scale: 3 });
  });

  it("takes a fourth register from the immediate", () => {
    expect(decode("c4 e3 71 4a c2 f0").immediateLow).toBe(0xf0);
    expect(decode("c4 e3 71 4a c2 f0", FLAT).immediateLow).toBe(0x70);
  });

  it("ignores VEX.L where it means nothing", () => {
    for (const byte of ["fa", "fe"]) expect(decode(`c5 ${byte} 10 00`).opcode.name).toBe("vmovss");
  });

  it("reads VEX fields", () => {
    expect(decode("c4 42 a8 f2 df")).toMatchObject({ vex: true, reg: 11, vvvv: 10, rm: 15, operandSize: 64 });
    expect(decode("c4 e3 7b f0 c1 07")).toMatchObject({ reg: 0, rm: 1, immediateLow: 7, operandSize: 32 });
    // W and the register extensions mean nothing outside 64-bit mode.
    expect(decode("c4 c2 a8 f2 df", FLAT)).toMatchObject({ reg: 3, vvvv: 2, rm: 7, operandSize: 32 });
  });
});

describe("invalid encodings", () => {
  it.each([
    ["0f 01 f8", FLAT],
    ["06", LONG],
    ["f0 01 c8", LONG],
    ["f0 90", LONG],
    ["0f 6f", LONG, DecodeStatus.NeedMore],
    ["f3 0f 6f c1", LONG],
    ["8e f0", LONG],
    ["8e c8", LONG],
    ["0f 20 c8", LONG],
    ["44 0f 20 c8", LONG],
    ["0f 01 d0", LONG],
    ["66 c4 e2 70 f2 c1", LONG],
    ["48 c4 e2 70 f2 c1", LONG],
    ["c4 e2 70 f2 c1", REAL],
    ["c4 e2 74 f2 c1", LONG],
    ["c4 e3 73 f0 c1 07", LONG],
    ["62 f1 7c 48 58 c1", LONG],
    // Gathers: no SIB byte, 16-bit addresses, two registers the same.
    ["c4 e2 75 90 00", LONG],
    ["67 c4 e2 75 90 04", FLAT],
    ["c4 e2 7d 90 04 88", LONG],
    ["c4 e2 75 90 04 80", LONG],
    ["c4 e2 75 90 0c 90", LONG],
    // A register operand where memory is meant, a vvvv that must be 1111.
    ["c4 e2 75 90 c0", LONG],
    ["c5 f2 10 00", LONG],
    ["66 66 66 66 66 66 66 66 66 66 66 66 66 66 66", LONG, DecodeStatus.TooLong],
    ["66 66 66 66 66 66 66 66 66 66 66 66 66 83 c0 01", LONG, DecodeStatus.TooLong],
  ] as const)("%s", (hex, mode, expected: DecodeStatus = DecodeStatus.Undefined) => {
    expect(status(hex, mode)).toBe(expected);
  });

  it("accepts 15 bytes", () => {
    decode("66 66 66 66 66 66 66 66 66 66 66 66 83 c0 01");
  });
});
