// SPDX-License-Identifier: Apache-2.0
import type { DebugEvent, DebugMachine, DebugPoint, DebugResume, DebugTarget } from "@isola/ports";
import { featuresOf } from "./architecture.js";

export const MEMORY_SIZE = 0x1000;
const SIZES = new Map(featuresOf("x86-64").flatMap(({ registers }) => registers.map((r) => [r.source, r.bits / 8])));

/** A machine of two vCPUs that runs only in name: all there is are registers and 4 KiB at address 0. */
export class FakeTarget implements DebugTarget {
  onEvent: (event: DebugEvent) => void = () => {};
  state: DebugTarget["state"] = "running";
  readonly memory = Uint8Array.from({ length: MEMORY_SIZE }, (_, i) => i & 0xff);
  readonly registers = [0, 1].map(() => new Map([...SIZES].map(([name, size]) => [name, new Uint8Array(size)])));
  points: DebugPoint[] = [];
  readonly log: string[] = [];
  plan: readonly DebugResume[] = [];
  readonly machine: DebugMachine;

  constructor() {
    const inside = (address: bigint, length: number) => address >= 0n && address + BigInt(length) <= MEMORY_SIZE;
    const read = (address: bigint, length: number) =>
      address < MEMORY_SIZE ? this.memory.slice(Number(address), Number(address) + length) : new Uint8Array();
    const write = (address: bigint, data: Uint8Array) => {
      if (!inside(address, data.length)) return false;
      this.memory.set(data, Number(address));
      return true;
    };
    const same = (a: DebugPoint, b: DebugPoint) => describePoint(a) === describePoint(b);
    this.machine = {
      vcpus: 2,
      vcpuState: () => "running",
      readRegister: (vcpu, name) => this.registers[vcpu]?.get(name)?.slice() ?? null,
      writeRegister: (vcpu, name, value) => {
        const register = this.registers[vcpu]?.get(name);
        if (register === undefined || register.length !== value.length || name === "cs") return false;
        register.set(value);
        return true;
      },
      readMemory: (_, address, length) => read(address, length),
      writeMemory: (_, address, data) => write(address, data),
      readPhysical: (address, length) => read(address, length).map((byte) => byte ^ 0xff),
      writePhysical: write,
      insertPoint: (point) => this.points.length < 8 && this.points.push(point) > 0,
      removePoint: (point) => {
        const before = this.points.length;
        this.points = this.points.filter((one) => !same(one, point));
        return this.points.length < before;
      },
      removeAllPoints: () => void (this.points = []),
      describeRegisters: (vcpu) => `registers of ${vcpu}`,
      describeMappings: () => "x".repeat(10_000),
      setResume: (plan) => void (this.plan = plan),
    };
  }

  resume(plan: readonly DebugResume[]): void {
    this.plan = plan;
    this.state = "running";
    this.log.push("resume");
  }

  interrupt(): void {
    this.state = "stopped";
    this.log.push("interrupt");
    this.onEvent({ kind: "paused" });
  }

  /** The machine stops by itself. */
  stop(event: DebugEvent): void {
    this.state = event.kind === "ended" ? "ended" : "stopped";
    this.onEvent(event);
  }

  reset(): void {
    this.log.push("reset");
  }

  pressPowerButton(): void {
    this.log.push("power button");
  }

  kill(): void {
    this.log.push("kill");
  }

  detach(): void {
    this.log.push("detach");
  }
}

function describePoint(point: DebugPoint): string {
  return Object.values(point).join();
}
