// SPDX-License-Identifier: Apache-2.0
// The inline path of FMA against the exact helpers. Which of them runs is up to MXCSR: while PE is clear, only helpers
// can tell whether the result is inexact.
import { describe, expect, it } from "vitest";
import { BareMachine, CODE } from "./cpu/bare-machine.fixture.js";
import { VectorSource } from "./sse-helpers.fixture.js";

const X = 0x40_0000;
const Y = 0x50_0000;
const Z = 0x60_0000;
const RESULT = 0x70_0000;
/** MXCSR, loaded again each time so that PE does not stay. */
const CONTROL = 0x7f_0000;
const BYTES = 1 << 18;
const MXCSR = { helper: 0x1f80, inline: 0x1fa0 } as const;
const RCX = 1;
const ROUNDS = 3;

/** A loop over the arrays, 32 bytes at a time; `fma` is VFMADD213 with x in YMM0, y in YMM1 and z in memory at RDI. */
function program(fma: string): string {
  return [
    "31 c0", // xor eax, eax
    "0f ae 14 25 00 00 7f 00", // again: ldmxcsr [CONTROL]
    "c5 fc 10 80 00 00 40 00", // vmovups ymm0, [rax + X]
    "c5 fc 10 88 00 00 50 00", // vmovups ymm1, [rax + Y]
    `${fma} 00 00 60 00`, // vfmadd213 ymm0, ymm1, [rax + Z]
    "c5 fc 11 80 00 00 70 00", // vmovups [rax + RESULT], ymm0
    "83 c0 20", // add eax, 32
    "39 c8", // cmp eax, ecx
    "75 d0", // jne again
  ].join(" ");
}

function machineWithAvx(): BareMachine {
  const machine = new BareMachine();
  machine.cpu.state.set64("cr4", 0x4_0620n);
  machine.cpu.state.set64("xcr0", 7n);
  machine.engine.helpers.updateMode(machine.cpu.record);
  return machine;
}

/** Results of one pass. */
function results(machine: BareMachine, code: string, mxcsr: number): Uint8Array {
  machine.engine.ram.setU32(CONTROL, mxcsr);
  machine.load(CODE, code);
  machine.set(RCX, BYTES);
  machine.run();
  return new Uint8Array(machine.engine.buffer, machine.engine.ram.base + RESULT, BYTES).slice();
}

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
}

const SINGLE: Format = { exponentBits: 8, fractionBits: 23 };
const DOUBLE: Format = { exponentBits: 11, fractionBits: 52 };

/** Numbers with few ones, or runs of ones and zeros: their products and sums come close to halves of the last place. */
class Numbers {
  private readonly random: VectorSource;

  constructor(
    seed: number,
    private readonly format: Format,
  ) {
    this.random = new VectorSource(seed);
  }

  private fraction(): bigint {
    const { fractionBits } = this.format;
    const bits = BigInt(fractionBits);
    const bit = (): bigint => 1n << BigInt(this.random.below(fractionBits));
    const mask = (1n << bits) - 1n;
    switch (this.random.below(5)) {
      case 0:
        return 0n;
      case 1:
        return (bit() | bit() | bit()) & mask;
      case 2:
        return (bit() - bit()) & mask;
      case 3:
        return mask ^ bit();
      default:
        return BigInt.asUintN(
          fractionBits,
          (BigInt(this.random.below(1 << 23)) << 30n) ^
            BigInt(this.random.below(1 << 23)) ^
            (BigInt(this.random.below(1 << 23)) << 12n),
        );
    }
  }

  /** Near 2^exponent, either sign; now and then zero, infinite, denormal or far away. */
  near(exponent: number, spread: number): bigint {
    const { exponentBits, fractionBits } = this.format;
    const maximum = (1 << exponentBits) - 1;
    let biased = (maximum >> 1) + exponent - spread + this.random.below(2 * spread + 1);
    if (this.random.below(40) === 0) biased = [0, maximum, 1, maximum - 1][this.random.below(4)]!;
    biased = Math.min(Math.max(biased, 0), maximum);
    const sign = BigInt(this.random.below(2)) << BigInt(exponentBits + fractionBits);
    const zero = this.random.below(30) === 0;
    return sign | (zero ? 0n : (BigInt(biased) << BigInt(fractionBits)) | this.fraction());
  }

  private encode(exponent: number, fraction: bigint): bigint {
    const { exponentBits, fractionBits } = this.format;
    const biased = BigInt((1 << (exponentBits - 1)) - 1 + exponent);
    const sign = BigInt(this.random.below(2)) << BigInt(exponentBits + fractionBits);
    return sign | (biased << BigInt(fractionBits)) | fraction;
  }

  /** x * y = 1 - 2^-2k, just below half a unit in the last place of z: rounding twice would make it a half. */
  justBelowHalf(): [x: bigint, y: bigint, z: bigint] {
    const { fractionBits } = this.format;
    const k = 2 + this.random.below(fractionBits - 2);
    const unit = 1n << BigInt(fractionBits - k);
    const x = this.encode(0, unit);
    const y = this.encode(-1, (1n << BigInt(fractionBits)) - 2n * unit);
    return [x, y, this.encode(fractionBits + 1, this.fraction())];
  }
}

function fill(machine: BareMachine, seed: number, format: Format, far: number): void {
  const numbers = new Numbers(seed, format);
  const width = format === SINGLE ? 4 : 8;
  const { ram } = machine.engine;
  const put = (at: number, value: bigint): void => {
    if (width === 4) ram.setU32(at, Number(value));
    else ram.setU64(at, value);
  };
  for (let at = 0; at < BYTES; at += width) {
    const ordinary = [numbers.near(far, 2), numbers.near(-far, 3), numbers.near(0, format.fractionBits + 6)] as const;
    const [x, y, z] = (at / width) % 8 === 0 ? numbers.justBelowHalf() : ordinary;
    put(X + at, x);
    put(Y + at, y);
    put(Z + at, z);
  }
}

describe("fused multiply-add", () => {
  it.each([
    ["vfmadd213ps", "c4 e2 75 a8 80", SINGLE, 0],
    ["vfmadd213ps, large times small", "c4 e2 75 a8 80", SINGLE, 100],
    ["vfnmsub213ps", "c4 e2 75 ae 80", SINGLE, 0],
    ["vfmadd213pd", "c4 e2 f5 a8 80", DOUBLE, 0],
    ["vfmadd213pd, large times small", "c4 e2 f5 a8 80", DOUBLE, 400],
    ["vfmaddsub213pd", "c4 e2 f5 a6 80", DOUBLE, 0],
  ] as const)("inline and by helper: %s", (_name, fma, format, far) => {
    const machine = machineWithAvx();
    for (let round = 0; round < ROUNDS; round++) {
      fill(machine, 77 + round, format, far);
      const exact = results(machine, program(fma), MXCSR.helper);
      const inline = results(machine, program(fma), MXCSR.inline);
      expect(Buffer.compare(inline, exact)).toBe(0);
    }
  });
});
