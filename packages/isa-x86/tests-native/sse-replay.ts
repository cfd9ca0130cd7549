// SPDX-License-Identifier: Apache-2.0
// Replays the records of sse.c on the helpers.
import type { FloatModule, Integer } from "./float-module.js";

const RECORD = 48;

interface Operation {
  readonly name: string;
  /** Significant bits of the recorded result. */
  readonly bits: number;
  readonly run: (a: bigint, b: bigint, c: bigint, mxcsr: number) => Integer;
}

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
/** ZF, PF, CF of equal, less, greater, unordered. */
const RELATION_FLAGS = [0x40, 0x01, 0x00, 0x45];

/** In the order of sse.c. */
function operations({ call }: FloatModule): Operation[] {
  const list: Operation[] = [];
  const add = (name: string, bits: number, run: Operation["run"]): void => void list.push({ name, bits, run });
  for (const [format, bits] of [
    ["f32", 32],
    ["f64", 64],
  ] as const) {
    const operand = (value: bigint): Integer => (bits === 32 ? low(value) : value);
    for (const name of ["Add", "Sub", "Mul", "Div", "Sqrt", "Min", "Max"]) {
      add(format + name, bits, (a, b) => call[format + name]!(operand(a), operand(b)));
    }
    for (const name of ["CompareOrdered", "CompareQuiet"]) {
      add(format + name, 64, (a, b) => RELATION_FLAGS[Number(call[format + name]!(operand(a), operand(b)))]!);
    }
    // VFMADD213 multiplies its second operand by its first.
    add(`${format}Fma`, bits, (a, b, c) => call[`${format}Fma`]!(operand(b), operand(a), operand(c)));
  }
  add("f32ToF64", 64, (a) => call["f32ToF64"]!(low(a)));
  add("f64ToF32", 32, (a) => call["f64ToF32"]!(a));
  add("i32ToF32", 32, (a) => call["i32ToF32"]!(low(a)));
  add("i64ToF32", 32, (a) => call["i64ToF32"]!(a));
  add("i32ToF64", 64, (a) => call["i32ToF64"]!(low(a)));
  add("i64ToF64", 64, (a) => call["i64ToF64"]!(a));
  for (const format of ["f32", "f64"]) {
    for (const target of ["I32", "I64"]) {
      for (const truncate of [0, 1]) {
        add(`${format}To${target} ${truncate}`, 64, (a) =>
          call[`${format}To${target}`]!(format === "f32" ? low(a) : a, truncate),
        );
      }
    }
  }
  for (const [format, bits] of [
    ["f32", 32],
    ["f64", 64],
  ] as const) {
    for (const immediate of [0, 1, 2, 11, 4]) {
      add(`${format}RoundToInt ${immediate}`, bits, (a, _b, _c, mxcsr) => {
        const mode = (immediate & 4) !== 0 ? (mxcsr >> 13) & 3 : immediate & 3;
        return call[`${format}RoundToInt`]!(bits === 32 ? low(a) : a, mode, immediate & 8);
      });
    }
  }
  add("f16ToF32", 32, (a) => call["f16ToF32"]!(Number(a & 0xffffn)));
  add("f32ToF16 MXCSR", 16, (a, _b, _c, mxcsr) => call["f32ToF16"]!(low(a), (mxcsr >> 13) & 3));
  add("f32ToF16 truncate", 16, (a) => call["f32ToF16"]!(low(a), 3));
  add("f64Fma 132", 64, (a, b, c) => call["f64Fma"]!(a, c, b));
  add("f64Fma 231", 64, (a, b, c) => call["f64Fma"]!(b, c, a));
  return list;
}

/** Descriptions of the records that the helpers disagree with, in value, exceptions or trap. */
export function replaySse(module: FloatModule, records: Buffer): string[] {
  const list = operations(module);
  const failures: string[] = [];
  for (let at = 0; at < records.length; at += RECORD) {
    const operation = list[records.readUInt32LE(at)]!;
    const mxcsr = records.readUInt32LE(at + 4);
    const [a, b, c, result] = [8, 16, 24, 32].map((offset) => records.readBigUInt64LE(at + offset)) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const after = records.readUInt32LE(at + 40) & 63;
    const trapped = records.readUInt32LE(at + 44) !== 0;
    module.call["setFromMxcsr"]!(mxcsr);
    const ours = BigInt.asUintN(operation.bits, BigInt(operation.run(a, b, c, mxcsr)));
    const raised = Number(module.call["reportedFlags"]!());
    const traps = (raised & ~(mxcsr >> 7) & 63) !== 0;
    const same = trapped || ours === BigInt.asUintN(operation.bits, result);
    if (same && traps === trapped && ((mxcsr & 63) | raised) === after) continue;
    const hex = (value: bigint): string => value.toString(16);
    failures.push(
      `${operation.name} MXCSR ${mxcsr.toString(16)} ${hex(a)} ${hex(b)} ${hex(c)}: ${hex(result)} exceptions ` +
        `${after.toString(16)} trap ${trapped}, helper ${hex(ours)} ${raised.toString(16)} ${traps}`,
    );
  }
  return failures;
}
