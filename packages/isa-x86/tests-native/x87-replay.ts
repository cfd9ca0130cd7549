// SPDX-License-Identifier: Apache-2.0
// Replays the records of x87.c on the helpers.
import { cpu } from "../src/cpu-layout.js";
import { CPU, SCRATCH, type FloatModule } from "./float-module.js";
import { x87Executor } from "./x87-execute.js";

const RECORD = 576;
const IMAGE = 160;

export interface X87Replay {
  /** Records that disagree, described. */
  readonly failures: string[];
  /** Results of transcendental functions that are one unit in the last place away. */
  readonly nearMisses: number;
  readonly records: number;
}

function describe(image: Buffer): string {
  const registers = [...Array(8).keys()].map(
    (i) => `${image.readUInt16LE(40 + 16 * i).toString(16)}:${image.readBigUInt64LE(32 + 16 * i).toString(16)}`,
  );
  return `FCW ${image.readUInt16LE(0).toString(16)} FSW ${image.readUInt16LE(2).toString(16)} tags ${image[4]!.toString(16)} ${registers.join(" ")}`;
}

/** An FXSAVE image without what is not compared: pointers unless `pointers`, MXCSR and reserved bytes. */
function comparable(image: Buffer, pointers: boolean): Buffer {
  const result = Buffer.from(image);
  if (!pointers) result.fill(0, 6, 24);
  result.fill(0, 24, 32);
  for (let i = 0; i < 8; i++) result.fill(0, 42 + 16 * i, 48 + 16 * i);
  return result;
}

/** ZF, PF and CF out of the lazy form that cpu-layout.ts describes. */
function flags(module: FloatModule): number {
  const result = module.view.getBigInt64(CPU + cpu.at("flagRes"), true);
  const aux = module.view.getUint32(CPU + cpu.at("flagAux"), true);
  let parity = Number(BigInt.asUintN(8, result)) ^ ((aux >> 8) & 0xff);
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return (result === 0n ? 0x40 : 0) | ((parity & 1) === 0 ? 4 : 0) | (aux >>> 31);
}

/** Removes ST(0) and ST(1) where they differ by one unit in the last place, and C1 beside PE: rounding's direction. */
function forgiveLastPlace(ours: Buffer, real: Buffer): void {
  for (const at of [32, 48]) {
    const value = (image: Buffer): bigint =>
      image.readBigUInt64LE(at) + (BigInt(image.readUInt16LE(at + 8) & 0x7fff) << 63n);
    const distance = value(ours) - value(real);
    const sameSign = ((ours[at + 9]! ^ real[at + 9]!) & 0x80) === 0;
    if (sameSign && distance >= -1n && distance <= 1n) ours.copy(real, at, at, at + 10);
  }
  if ((real.readUInt16LE(2) & 0x20) !== 0) {
    real.writeUInt16LE((real.readUInt16LE(2) & ~0x200) | (ours.readUInt16LE(2) & 0x200), 2);
  }
}

function isFlagComparison(code: Uint8Array): boolean {
  return (code[0] === 0xdb || code[0] === 0xdf) && code[1]! >= 0xe8 && code[1]! < 0xf8;
}

/** Runs every record; `approximate` lets results be one unit in the last place off. */
export function replayX87(module: FloatModule, records: Buffer, approximate: boolean): X87Replay {
  const execute = x87Executor(module);
  const { memory, view, call } = module;
  const failures: string[] = [];
  let nearMisses = 0;
  for (let at = 0; at < records.length; at += RECORD) {
    const code = records.subarray(at + 1, at + 1 + records[at]!);
    const trapped = records.readUInt32LE(at + 8) !== 0;
    const eflags = records.readUInt32LE(at + 12);
    const before = records.subarray(at + 16, at + 16 + IMAGE);
    const operand = {
      before: records.subarray(at + 336, at + 448),
      after: Buffer.from(records.subarray(at + 336, at + 448)),
    };
    const operandAfter = records.subarray(at + 448, at + 560);

    memory.fill(0, CPU, CPU + cpu.size);
    memory.set(before, SCRATCH);
    view.setUint32(SCRATCH + 24, 0x1f80, true);
    call["x87FxRestore"]!(CPU, 1, 1);
    execute(code, operand);
    const fault = view.getUint32(CPU + cpu.at("fault"), true);
    const relation = flags(module);
    call["x87FxSave"]!(CPU, 1, 1);

    const loadsPointers =
      /^(66)?(d9|dd)[23].$/.test(Buffer.from(code).toString("hex")) && ((code.at(-1)! >> 3) & 7) === 4;
    const ours = comparable(Buffer.from(memory.subarray(SCRATCH, SCRATCH + IMAGE)), loadsPointers);
    const real = comparable(records.subarray(at + 176, at + 176 + IMAGE), loadsPointers);
    // FCS is gone from 64-bit images, where the upper half of FIP is in its place.
    ours.fill(0, 12, 16);
    real.fill(0, 12, 16);
    if (approximate && !ours.equals(real)) {
      forgiveLastPlace(ours, real);
      if (ours.equals(real)) nearMisses++;
    }
    const sameFlags = trapped || !isFlagComparison(code) || relation === (eflags & 0x45);
    if ((fault === 17) === trapped && ours.equals(real) && operand.after.equals(operandAfter) && sameFlags) continue;
    failures.push(
      `${Buffer.from(code).toString("hex")} operand ${operand.before.subarray(0, 28).toString("hex")}\n` +
        `  before ${describe(before)}\n  real   ${describe(real)} ${operandAfter.subarray(0, 28).toString("hex")} trap ${trapped} ` +
        `flags ${eflags.toString(16)}\n  helper ${describe(ours)} ${operand.after.subarray(0, 28).toString("hex")} ` +
        `fault ${fault} flags ${relation.toString(16)}`,
    );
  }
  return { failures, nearMisses, records: records.length / RECORD };
}
