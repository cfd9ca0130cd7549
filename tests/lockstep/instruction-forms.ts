// SPDX-License-Identifier: Apache-2.0
// Single instructions of known bytes.
import type { Instruction, Target } from "./guest-program.js";

/** Instructions without addresses. */
export function plain(hex: string): Instruction {
  return { bytes: [...Buffer.from(hex, "hex")], fixups: [] };
}

/** A jump with a displacement of four bytes. */
export function branch(opcode: readonly number[], target: Target): Instruction {
  return { bytes: [...opcode, 0, 0, 0, 0], fixups: [{ at: opcode.length, relative: true, target }] };
}

/** MOV register, address; in 64-bit code the upper half becomes 0. */
export function setRegister(register: number, value: Target): Instruction {
  const opcode = 0xb8 + (register & 7);
  const bytes = register >= 8 ? [0x41, opcode, 0, 0, 0, 0] : [opcode, 0, 0, 0, 0];
  return { bytes, fixups: [{ at: bytes.length - 4, relative: false, target: value }] };
}

/** ModRM with `reg`, and SIB in 64-bit code, in front of an absolute address of four bytes. */
export function absolute(reg: number, long: boolean): number[] {
  return long ? [(reg << 3) | 4, 0x25] : [(reg << 3) | 5];
}
