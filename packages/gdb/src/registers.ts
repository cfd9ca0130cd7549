// SPDX-License-Identifier: Apache-2.0
import type { DebugMachine } from "@isola/ports";
import { type Architecture, featuresOf, type RegisterSpec } from "./architecture.js";
import { bytesOfHex, hexOf } from "./hex.js";

/** The registers of a machine by the numbers that GDB gives them: their order in the target description. */
export class RegisterFile {
  private readonly specs: readonly RegisterSpec[];

  constructor(
    private readonly machine: DebugMachine,
    architecture: Architecture,
  ) {
    this.specs = featuresOf(architecture).flatMap(({ registers }) => registers);
  }

  /** Number of a register, or -1. */
  numberOf(source: string): number {
    return this.specs.findIndex((spec) => spec.source === source);
  }

  /** A register as digits, or null if there is none of that number. */
  read(vcpu: number, number: number): string | null {
    const spec = this.specs[number];
    if (spec === undefined) return null;
    const size = spec.bits / 8;
    const value = this.machine.readRegister(vcpu, spec.source);
    return value === null ? "xx".repeat(size) : hexOf(value.subarray(0, size));
  }

  /** False if there is no such register or it cannot have that value. */
  write(vcpu: number, number: number, digits: string): boolean {
    const spec = this.specs[number];
    const value = bytesOfHex(digits);
    if (spec === undefined || value === null || value.length !== spec.bits / 8) return false;
    return this.put(vcpu, spec, value);
  }

  /** All registers in the order of their numbers. */
  readAll(vcpu: number): string {
    return this.specs.map((_, number) => this.read(vcpu, number) ?? "").join("");
  }

  /** Writes those that differ. False if one of them cannot have its value; the others are written all the same. */
  writeAll(vcpu: number, digits: string): boolean {
    const values = bytesOfHex(digits);
    const total = this.specs.reduce((sum, { bits }) => sum + bits / 8, 0);
    if (values === null || values.length !== total) return false;
    let at = 0;
    let ok = true;
    for (const [number, spec] of this.specs.entries()) {
      const value = values.subarray(at, at + spec.bits / 8);
      at += value.length;
      if (this.read(vcpu, number) !== hexOf(value)) ok = this.put(vcpu, spec, value) && ok;
    }
    return ok;
  }

  /** GDB may see less of a register than there is; the rest becomes zero. */
  private put(vcpu: number, spec: RegisterSpec, value: Uint8Array): boolean {
    const size = this.machine.readRegister(vcpu, spec.source)?.length ?? value.length;
    const whole = new Uint8Array(Math.max(size, value.length));
    whole.set(value);
    return this.machine.writeRegister(vcpu, spec.source, whole.subarray(0, size));
  }
}
