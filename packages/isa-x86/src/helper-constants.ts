// SPDX-License-Identifier: Apache-2.0
import { cpu, SEGMENT_STRIDE } from "./cpu-layout.js";

const constantName = (field: string): string => `CPU_${field.replace(/([A-Z])/g, "_$1").toUpperCase()}`;

/** Text of the AssemblyScript module that gives helpers the same offsets as everybody else. */
export function helperConstants(): string {
  const lines = ["// Generated from cpu-layout.ts. Do not edit."];
  for (const field of Object.values(cpu.fields)) {
    lines.push(`/** ${field.doc} */`, `export const ${constantName(field.name)}: usize = ${field.offset};`);
  }
  lines.push(`export const SEGMENT_STRIDE: usize = ${SEGMENT_STRIDE};`, `export const CPU_SIZE: usize = ${cpu.size};`, "");
  return lines.join("\n");
}
