// SPDX-License-Identifier: Apache-2.0
import type { GuestRam, IoHandler } from "@isola/memory";
import type { X86Cpu } from "@isola/isa-x86";
import { CODE_FRAMES, CODE_PAGES, DATA_FRAMES, PAGE } from "./guest-layout.js";

/** What a write to a register does, by the register's number modulo 8. */
const enum Register {
  Interrupt = 1,
  ChangeCode = 2,
  ChangeData = 3,
  RequestExit = 4,
}

/** Instructions of one byte, so that changed code is likely to go on making sense. */
const ONE_BYTE = [0x90, 0xf5, 0xf8, 0xf9, 0x98, 0x99, 0x9f, 0x92] as const;
const FIRST_VECTOR = 0x40;

/**
 * A device whose reads show the time in instructions, and whose writes interrupt, ask the vCPU to stop, or change code
 * or data in RAM: whatever compiled code may get wrong when it comes to a device.
 */
export class TestDevice implements IoHandler {
  /** Everything that the guest did to the device, in order, as a number. */
  history = 0;
  /** Vectors of interrupts that wait. */
  readonly waiting: number[] = [];
  cpu: X86Cpu | null = null;

  constructor(private readonly ram: () => GuestRam) {}

  reset(): void {
    this.history = 1;
    this.waiting.length = 0;
  }

  note(value: number): void {
    this.history = (Math.imul(this.history, 0x0100_0193) ^ value) >>> 0;
  }

  interrupt(vector: number): void {
    this.waiting.push(vector);
    this.cpu?.notify();
  }

  read(offset: number, size: number): number {
    this.note((this.cpu?.budgetLeft ?? 0) * 4 + size);
    this.note(offset);
    return this.history;
  }

  write(offset: number, size: number, value: number): void {
    this.note((this.cpu?.budgetLeft ?? 0) * 4 + size);
    this.note(offset);
    this.note(value);
    const { history } = this;
    switch ((offset >> 2) & 7) {
      case Register.Interrupt:
        return this.interrupt(FIRST_VECTOR + (value & 7));
      case Register.ChangeCode: {
        const bytes = Array.from({ length: 1 + (history & 3) }, (_, i) => ONE_BYTE[(value + i) & 7] ?? 0x90);
        this.ram().write(CODE_FRAMES + ((history >>> 4) % (CODE_PAGES * PAGE - 4)), Uint8Array.from(bytes));
        return;
      }
      case Register.ChangeData:
        this.ram().setU32(DATA_FRAMES + ((history >>> 4) & 0xffc), value);
        return;
      case Register.RequestExit:
        this.cpu?.requestExit();
        return;
    }
  }
}
