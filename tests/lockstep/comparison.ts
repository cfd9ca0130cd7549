// SPDX-License-Identifier: Apache-2.0
import { cpu as layout, type CpuField, type X86Engine } from "@isola/isa-x86";

/** Fields of the CPU record that are no state of the guest: bookkeeping of the engine, and the lazy form of flags. */
const BOOKKEEPING: ReadonlySet<CpuField> = new Set<CpuField>([
  "zero",
  "effectiveAddress",
  "codeBase",
  "flagRes",
  "flagAux",
  "flagKind",
  "flagA",
  "flagB",
  "flagCarry",
  "flagOverflow",
  "event",
  "interruptPending",
  "currentRecord",
  "fault",
  "faultError",
  "faultAddress",
  "exitReason",
  "exitData",
  "hotThreshold",
  "stepRip",
  "stepTrap",
  "scratch",
]);

/** So are the contents of TLB and jump cache. */
const CACHES = /^(tlb|jump)/;

const FIELDS = (Object.keys(layout.fields) as CpuField[]).filter(
  (name) => !BOOKKEEPING.has(name) && !CACHES.test(name),
);

/** Bytes of one element: vector registers go on behind the 128 bits that their type names. */
function widthOf(name: CpuField): number {
  const { width, stride } = layout.fields[name];
  return name === "vec" ? stride : width;
}

/** Offsets in the CPU record of the bytes that must agree; EFLAGS is compared by value. */
const BYTES: readonly { readonly start: number; readonly end: number }[] = FIELDS.filter(
  (name) => name !== "eflags",
).flatMap((name) =>
  Array.from({ length: layout.fields[name].count }, (_, i) => {
    const start = layout.at(name, i);
    return { start, end: start + widthOf(name) };
  }),
);

/** A vCPU to be compared with another one. */
export interface ComparedCpu {
  readonly engine: X86Engine;
  /** Address of its record. */
  readonly record: number;
}

function recordOf({ engine, record }: ComparedCpu): Buffer {
  return Buffer.from(engine.buffer as ArrayBuffer, record, layout.size);
}

/** Value of a field, the flags as the guest sees them. */
export function fieldOf(cpu: ComparedCpu, name: CpuField, index = 0): bigint {
  if (name === "eflags") return BigInt(cpu.engine.helpers.readFlags(cpu.record) >>> 0);
  const at = layout.at(name, index);
  let value = 0n;
  recordOf(cpu)
    .subarray(at, at + widthOf(name))
    .forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)));
  return value;
}

function sameRecord(a: ComparedCpu, b: ComparedCpu): boolean {
  const left = recordOf(a);
  const right = recordOf(b);
  const same = BYTES.every(({ start, end }) => left.compare(right, start, end, start, end) === 0);
  return same && fieldOf(a, "eflags") === fieldOf(b, "eflags");
}

/** What is different in the state of two vCPUs that should be equal, one line a field; empty if nothing is. */
export function differentFields(a: ComparedCpu, b: ComparedCpu): string[] {
  if (sameRecord(a, b)) return [];
  return FIELDS.flatMap((name) => {
    const { count } = layout.fields[name];
    return Array.from({ length: count }, (_, i) => {
      const [left, right] = [fieldOf(a, name, i), fieldOf(b, name, i)];
      return left === right ? [] : [difference(count > 1 ? `${name}[${i}]` : name, left, right)];
    }).flat();
  });
}

/** The first byte in which two memories differ, as text; empty if they are equal. */
export function differentBytes(a: Uint8Array, b: Uint8Array): string[] {
  if (Buffer.compare(a, b) === 0) return [];
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return [difference(`byte of RAM at ${at.toString(16)}`, BigInt(a[at]), BigInt(b[at]))];
}

export function difference(what: string, left: bigint, right: bigint): string {
  return `${what}: ${left.toString(16)} against ${right.toString(16)}`;
}
