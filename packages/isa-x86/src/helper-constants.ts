// SPDX-License-Identifier: Apache-2.0
import {
  ARENA,
  ARENA_HALF_SIZE,
  BLOCK_BUCKETS,
  BLOCK_HEADER_SIZE,
  BLOCK_TABLE,
  BlockField,
  CODE_COUNTERS,
  CODE_MASKS,
  CPU_RECORDS,
  CPU_STRIDE,
  EMPTY_TLB,
  Exit,
  FAULT_INTERPRET,
  FAULT_STEP,
  FRAME_BLOCKS,
  HeadField,
  HOT_ENTRY_SIZE,
  HOT_QUEUE,
  HOT_QUEUE_CAPACITY,
  HotField,
  FRAME_WRITERS,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_SIZE,
  JUMP_CACHES,
  NodeField,
  RAM_BASE,
  RECORD_SIZE,
  RecordField,
  RecordFlag,
  TLB_ENTRIES,
  TLB_SIZE,
  TlbField,
  TLBS,
  TLBS_PER_CPU,
  VCPU_COUNTERS,
} from "@isola/engine";
import { FlagOperation, FlagStateBits } from "./compiler/flag-operation.js";
import { codeCounterLayout, cpuCounterLayout } from "./counters/counter-layout.js";
import { cpu, SEGMENT_STRIDE } from "./cpu-layout.js";
import { Special } from "./interpreter/special.js";

const constantName = (prefix: string, field: string): string =>
  `${prefix}_${field.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()}`;

/** Text of the AssemblyScript module that gives helpers the same numbers as everybody else. */
export function helperConstants(): string {
  const lines = ["// Generated from cpu-layout.ts and the engine's memory map. Do not edit."];
  const constant = (name: string, type: string, value: number): void => {
    lines.push(`export const ${name}: ${type} = ${value};`);
  };
  for (const field of Object.values(cpu.fields)) {
    lines.push(`/** ${field.doc} */`);
    constant(`CPU_${field.name.replace(/([A-Z])/g, "_$1").toUpperCase()}`, "usize", field.offset);
  }
  // Relative to the CPU record, and absolute.
  for (const { name, offset } of Object.values(cpuCounterLayout.fields))
    constant(constantName("VCPU_COUNTER", name), "usize", VCPU_COUNTERS + offset);
  for (const { name, offset } of Object.values(codeCounterLayout.fields))
    constant(constantName("CODE_COUNTER", name), "usize", CODE_COUNTERS + offset);
  constant("SEGMENT_STRIDE", "usize", SEGMENT_STRIDE);
  constant("CPU_SIZE", "usize", cpu.size);
  const addresses = {
    ARENA,
    ARENA_HALF_SIZE,
    BLOCK_BUCKETS,
    BLOCK_HEADER_SIZE,
    BLOCK_TABLE,
    CODE_MASKS,
    CPU_RECORDS,
    CPU_STRIDE,
    EMPTY_TLB,
    FRAME_BLOCKS,
    HOT_ENTRY_SIZE,
    HOT_QUEUE,
    HOT_QUEUE_CAPACITY,
    FRAME_WRITERS,
    JUMP_CACHE_ENTRIES,
    JUMP_CACHE_SIZE,
    JUMP_CACHES,
    RAM_BASE,
    RECORD_SIZE,
    TLB_ENTRIES,
    TLB_SIZE,
    TLBS,
    TLBS_PER_CPU,
  };
  for (const [name, value] of Object.entries(addresses)) constant(name, "usize", value);
  constant("FAULT_INTERPRET", "u32", FAULT_INTERPRET);
  constant("FAULT_STEP", "u32", FAULT_STEP);
  const enums: readonly (readonly [prefix: string, values: object, type: string])[] = [
    ["RECORD", RecordField, "usize"],
    ["RECORD_FLAG", RecordFlag, "u32"],
    ["BLOCK", BlockField, "usize"],
    ["NODE", NodeField, "usize"],
    ["HEAD", HeadField, "usize"],
    ["TLB", TlbField, "usize"],
    ["HOT", HotField, "usize"],
    ["EXIT", Exit, "u32"],
    ["HANDLER", Special, "u32"],
    ["FLAGS", FlagOperation, "u32"],
    ["FLAG_STATE", FlagStateBits, "u32"],
  ];
  for (const [prefix, values, type] of enums)
    for (const [name, value] of Object.entries(values))
      if (typeof value === "number") constant(constantName(prefix, name), type, value);
  lines.push("");
  return lines.join("\n");
}
