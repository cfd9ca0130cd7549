// SPDX-License-Identifier: Apache-2.0
import { mappedRanges, type X86Engine } from "@isola/isa-x86";
import type { DebugMachine, DebugPoint, DebugResume } from "@isola/ports";
import type { Scheduler } from "./scheduler.js";
import type { X86Vcpu } from "./x86-vcpu.js";

const PAGE_SIZE = 4096;
/** Lines of a listing of mapped pages. */
const MAX_RANGES = 2000;
const LOW_HALF = 0xffff_ffffn;
const MAX_PHYSICAL = 1n << 52n;

const hex = (value: bigint): string => value.toString(16).padStart(16, "0");

export interface DebuggerParts {
  readonly engine: X86Engine;
  readonly vcpus: readonly X86Vcpu[];
  readonly scheduler: Scheduler;
}

/** A machine as a debugger sees it. To be used between two calls of `Machine.run` only. */
export class MachineDebugger implements DebugMachine {
  constructor(private readonly parts: DebuggerParts) {}

  get vcpus(): number {
    return this.parts.vcpus.length;
  }

  vcpuState(vcpu: number): string {
    return this.parts.scheduler.stateOf(vcpu);
  }

  readRegister(vcpu: number, name: string): Uint8Array | null {
    return this.vcpu(vcpu).registers.read(name);
  }

  writeRegister(vcpu: number, name: string, value: Uint8Array): boolean {
    if (!this.vcpu(vcpu).registers.write(name, value)) return false;
    // It may have been halted, and now has somewhere to go.
    if (name === "rip") this.parts.scheduler.wake(vcpu);
    return true;
  }

  readMemory(vcpu: number, address: bigint, length: number): Uint8Array {
    const data = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const piece = this.piece(vcpu, address, done, length);
      const bytes = piece.physical < 0 ? null : this.parts.engine.physical.peek(piece.physical, piece.length);
      if (bytes === null) break;
      data.set(bytes, done);
      done += piece.length;
    }
    return data.subarray(0, done);
  }

  writeMemory(vcpu: number, address: bigint, data: Uint8Array): boolean {
    const pieces: Part[] = [];
    for (let done = 0; done < data.length;) {
      const { physical, length } = this.piece(vcpu, address, done, data.length);
      pieces.push({ physical, start: done, end: done + length });
      done += length;
    }
    return this.pokeAll(pieces, data);
  }

  readPhysical(address: bigint, length: number): Uint8Array {
    const data = new Uint8Array(length);
    let done = 0;
    for (const { physical, start, end } of physicalParts(address, length)) {
      const bytes = this.parts.engine.physical.peek(physical, end - start);
      if (bytes === null) break;
      data.set(bytes, start);
      done = end;
    }
    return data.subarray(0, done);
  }

  writePhysical(address: bigint, data: Uint8Array): boolean {
    const parts = physicalParts(address, data.length);
    return (parts.at(-1)?.end ?? 0) === data.length && this.pokeAll(parts, data);
  }

  insertPoint(point: DebugPoint): boolean {
    return this.parts.engine.breakpoints.insert(point);
  }

  removePoint(point: DebugPoint): boolean {
    return this.parts.engine.breakpoints.remove(point);
  }

  removeAllPoints(): void {
    this.parts.engine.breakpoints.clear();
  }

  describeRegisters(vcpu: number): string {
    return this.vcpu(vcpu).describe();
  }

  describeMappings(vcpu: number): string {
    const ranges = mappedRanges(this.vcpu(vcpu).cpu, MAX_RANGES);
    if (ranges === null) return "paging is off";
    const lines = ranges.map(({ start, end, user, writable, executable }) => {
      const rights = `${user ? "u" : "-"}r${writable ? "w" : "-"}${executable ? "x" : "-"}`;
      return `${hex(start)}-${hex(end)} ${hex(end - start)} ${rights}`;
    });
    if (ranges.length >= MAX_RANGES) lines.push("...");
    return lines.join("\n");
  }

  setResume(plan: readonly DebugResume[]): void {
    this.parts.vcpus.forEach((vcpu, i) => {
      const resume = plan[i] ?? { kind: "continue" };
      vcpu.cpu.debug.resume = resume;
      this.parts.scheduler.hold(i, resume.kind === "hold");
    });
  }

  /** Writes all parts, or nothing if one of them is a device's. */
  private pokeAll(parts: readonly Part[], data: Uint8Array): boolean {
    const { physical: map } = this.parts.engine;
    if (parts.some(({ physical, start, end }) => physical < 0 || map.peek(physical, end - start) === null))
      return false;
    for (const { physical, start, end } of parts) map.poke(physical, data.subarray(start, end));
    return true;
  }

  private vcpu(index: number): X86Vcpu {
    const vcpu = this.parts.vcpus[index];
    if (vcpu === undefined) throw new RangeError(`there is no vCPU ${index}`);
    return vcpu;
  }

  /** What lies in one page of the `length` bytes at `address` from byte `done` on. */
  private piece(index: number, address: bigint, done: number, length: number): Piece {
    const vcpu = this.vcpu(index);
    const whole = address + BigInt(done);
    const linear = vcpu.usesWideAddresses ? BigInt.asUintN(64, whole) : whole & LOW_HALF;
    const inPage = Math.min(length - done, PAGE_SIZE - Number(linear & 0xfffn));
    return { physical: vcpu.memory().translate(linear), length: inPage };
  }
}

interface Piece {
  /** -1 if there is no page. */
  readonly physical: number;
  readonly length: number;
}

/** Where the bytes `[start, end)` of an access lie, inside one page. */
interface Part {
  readonly physical: number;
  readonly start: number;
  readonly end: number;
}

/** The parts of a physical range up to where no address can be. */
function physicalParts(address: bigint, length: number): Part[] {
  const parts: Part[] = [];
  for (let start = 0; start < length && address + BigInt(start) < MAX_PHYSICAL;) {
    const physical = Number(address) + start;
    const end = Math.min(length, start + PAGE_SIZE - (physical % PAGE_SIZE));
    parts.push({ physical, start, end });
    start = end;
  }
  return parts;
}
