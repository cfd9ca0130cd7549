// SPDX-License-Identifier: Apache-2.0
import type { Opcode } from "../table/opcode.js";

/** "No register" in {@link DecodedInstruction.base} and {@link DecodedInstruction.index}. */
export const NO_REGISTER = -1;
/** The base register is RIP (of the next instruction). */
export const BASE_RIP = 16;

/** Segment registers as ModRM.reg numbers them. */
export const enum Segment {
  ES = 0,
  CS = 1,
  SS = 2,
  DS = 3,
  FS = 4,
  GS = 5,
}

/** The parts of one instruction. Reused from call to call, so that decoding allocates nothing. */
export class DecodedInstruction {
  opcode: Opcode;
  /** Length in bytes, 1-15. */
  length = 0;
  lock = false;
  /** 0 none, 1 F3, 2 F2: the last of them. */
  repeat: 0 | 1 | 2 = 0;
  /** Segment override prefix that has an effect, or -1: in 64-bit mode only FS and GS. */
  segmentOverride = -1;
  /** Segment of the memory operand: the override, else SS for addresses based on (E/R)SP or (E/R)BP, else DS. */
  segment: number = Segment.DS;
  /** 66 was present, as operand-size or as mandatory prefix. */
  prefix66 = false;
  operandSize: 16 | 32 | 64 = 32;
  addressSize: 16 | 32 | 64 = 32;
  /** The REX prefix, or 0. With any REX, byte registers 4-7 are SPL BPL SIL DIL instead of AH CH DH BH. */
  rex = 0;
  vex = false;
  /** VEX.vvvv, not inverted; 0 without VEX. */
  vvvv = 0;
  /** 0 = 128 bits, 1 = 256. */
  vectorLength = 0;
  /** The last opcode byte. */
  opcodeByte = 0;
  /** The ModRM byte; 0 if there is none. */
  modrm = 0;
  /** ModRM names memory, or the operand is an absolute offset. */
  memory = false;
  /** ModRM.reg with REX.R, or the register in the opcode with REX.B. */
  reg = 0;
  /** ModRM.rm with REX.B, when it is a register; the vector register that is the index of an address. */
  rm = 0;
  /** 0-15, {@link BASE_RIP} or {@link NO_REGISTER}. */
  base = NO_REGISTER;
  index = NO_REGISTER;
  /** log2 of the scale, 0-3. */
  scale = 0;
  /** Displacement, sign-extended to 64 bits over two signed halves; for MOV moffs the whole offset, zero-extended. */
  displacement = 0;
  displacementHigh = 0;
  /**
   * Immediate over two signed halves, extended to 64 bits as the operand code says; the relative displacement of a
   * branch; the number of an x87 register. With two immediates (ENTER) the first is the low half and the second the
   * high half; of a far pointer the offset is the low half and the selector the high one.
   */
  immediateLow = 0;
  immediateHigh = 0;

  constructor(opcode: Opcode) {
    this.opcode = opcode;
  }
}
