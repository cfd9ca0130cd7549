// SPDX-License-Identifier: Apache-2.0
import { cpu as layout, type CpuField } from "@isola/isa-x86";
import type { LockstepCpu } from "./lockstep-cpu.js";

/** Fields of the CPU record that are no state of the guest: bookkeeping of the engine, and the lazy form of flags. */
const BOOKKEEPING: ReadonlySet<CpuField> = new Set<CpuField>([
  "zero",
  "effectiveAddress",
  "codeBase",
  "flagRes",
  "flagAux",
  "event",
  "interruptPending",
  "currentRecord",
  "fault",
  "faultError",
  "faultAddress",
  "exitReason",
  "exitData",
  "hotThreshold",
  "tlbKey",
  "tlbLastKey",
  "tlbPcids",
  "tlbPcidNext",
  "jumpContext",
  "jumpEpoch",
  "stepRip",
  "stepTrap",
  "scratch",
]);

const FIELDS = (Object.keys(layout.fields) as CpuField[]).filter((name) => !BOOKKEEPING.has(name));

/** Offsets in the CPU record of the bytes that must agree; EFLAGS is compared by value. */
const BYTES: readonly { readonly start: number; readonly end: number }[] = FIELDS.filter((name) => name !== "eflags").flatMap(
  (name) => {
    const { offset, width, count, stride } = layout.fields[name];
    return Array.from({ length: count }, (_, i) => ({ start: offset + i * stride, end: offset + i * stride + width }));
  },
);

function sameRecord(a: LockstepCpu, b: LockstepCpu): boolean {
  const left = Buffer.from(a.engine.buffer as ArrayBuffer, a.cpu.record, layout.size);
  const right = Buffer.from(b.engine.buffer as ArrayBuffer, b.cpu.record, layout.size);
  return BYTES.every(({ start, end }) => left.compare(right, start, end, start, end) === 0);
}

function sameMemory(a: LockstepCpu, b: LockstepCpu): boolean {
  return Buffer.compare(a.memory, b.memory) === 0;
}

/** What is different between two vCPUs that should be equal, one line a difference; empty if nothing is. */
export function differences(a: LockstepCpu, b: LockstepCpu): string[] {
  const found: string[] = [];
  if (a.field("eflags") !== b.field("eflags")) found.push(line("eflags", a.field("eflags"), b.field("eflags")));
  if (!sameRecord(a, b))
    for (const name of FIELDS)
      for (let i = 0; i < layout.fields[name].count; i++) {
        if (name === "eflags" || a.field(name, i) === b.field(name, i)) continue;
        found.push(line(layout.fields[name].count > 1 ? `${name}[${i}]` : name, a.field(name, i), b.field(name, i)));
      }
  if (a.device.history !== b.device.history)
    found.push(line("history of the device", BigInt(a.device.history), BigInt(b.device.history)));
  if (!sameMemory(a, b)) {
    const at = a.memory.findIndex((byte, i) => byte !== b.memory[i]);
    found.push(line(`byte of RAM at ${at.toString(16)}`, BigInt(a.memory[at]), BigInt(b.memory[at])));
  }
  return found;
}

function line(what: string, left: bigint, right: bigint): string {
  return `${what}: ${left.toString(16)} against ${right.toString(16)}`;
}
