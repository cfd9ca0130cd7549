// SPDX-License-Identifier: Apache-2.0
import type { Opcode } from "../table/opcode.js";
import { BASE_RIP, type DecodedInstruction, NO_REGISTER, Segment } from "./decoded-instruction.js";
import { type DecodeLine, DecodeTables, ImmediateKind } from "./tables.js";

export const enum DecodeStatus {
  Ok = 0,
  /** The instruction goes on beyond the bytes that are available. */
  NeedMore = 1,
  /** #UD */
  Undefined = 2,
  /** More than 15 bytes: #GP(0). */
  TooLong = 3,
}

/** What decides the meaning of instruction bytes besides the bytes. */
export interface DecodeMode {
  readonly codeSize: 16 | 32 | 64;
  /** VEX and EVEX are recognised: protected mode, not virtual-8086 mode (SDM 2, section 2.3.2). */
  readonly vex: boolean;
}

/** Prefix bytes by what they are; 0 is not a prefix. */
const enum Prefix {
  None = 0,
  /** 26 2E 36 3E: ignored in 64-bit mode. */
  OldSegment = 1,
  /** 64 65 */
  NewSegment = 2,
  OperandSize = 3,
  AddressSize = 4,
  Lock = 5,
  Repeat = 6,
  Rex = 7,
}

const PREFIX_KIND: Uint8Array = /* @__PURE__ */ prefixKinds();

function prefixKinds(): Uint8Array {
  const kinds = new Uint8Array(256);
  for (const byte of [0x26, 0x2e, 0x36, 0x3e]) kinds[byte] = Prefix.OldSegment;
  kinds[0x64] = kinds[0x65] = Prefix.NewSegment;
  kinds[0x66] = Prefix.OperandSize;
  kinds[0x67] = Prefix.AddressSize;
  kinds[0xf0] = Prefix.Lock;
  kinds[0xf2] = kinds[0xf3] = Prefix.Repeat;
  kinds.fill(Prefix.Rex, 0x40, 0x50);
  return kinds;
}

const MAXIMUM_LENGTH = 15;

/** Base and index of 16-bit addresses by ModRM.rm (SDM 2, table 2-1). */
const BASE_16 = [3, 3, 5, 5, NO_REGISTER, NO_REGISTER, 5, 3] as const;
const INDEX_16 = [6, 7, 6, 7, 6, 7, NO_REGISTER, NO_REGISTER] as const;

/** Splits instruction bytes into parts, by lookup in tables made from an opcode table. */
export class InstructionDecoder {
  private readonly tables: DecodeTables;
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private at = 0;
  private end = 0;
  private is64 = false;

  constructor(opcodes: readonly Opcode[]) {
    this.tables = new DecodeTables(opcodes);
  }

  /**
   * Decodes the instruction at `bytes[at]`, of which `available` bytes may be read.
   * @param out filled on Ok; undefined contents otherwise
   */
  decode(bytes: Uint8Array, at: number, available: number, mode: DecodeMode, out: DecodedInstruction): DecodeStatus {
    this.bytes = bytes;
    this.start = at;
    this.at = at;
    this.end = at + (available < MAXIMUM_LENGTH ? available : MAXIMUM_LENGTH);
    const is64 = mode.codeSize === 64;
    this.is64 = is64;
    let repeat: 0 | 1 | 2 = 0;
    let override = -1;
    let prefix66 = false;
    let prefix67 = false;
    let lock = false;
    let rex = 0;
    let byte = 0;
    for (;;) {
      if (this.at >= this.end) return this.outOfBytes();
      byte = bytes[this.at++];
      const kind = PREFIX_KIND[byte];
      if (kind === Prefix.None) break;
      if (kind === Prefix.Rex) {
        if (!is64) break;
        rex = byte;
        continue;
      }
      // REX counts only directly in front of the opcode (SDM 2, section 2.2.1).
      rex = 0;
      if (kind === Prefix.OperandSize) prefix66 = true;
      else if (kind === Prefix.Repeat) repeat = byte === 0xf3 ? 1 : 2;
      else if (kind === Prefix.NewSegment) override = byte === 0x64 ? Segment.FS : Segment.GS;
      else if (kind === Prefix.AddressSize) prefix67 = true;
      else if (kind === Prefix.Lock) lock = true;
      else if (!is64) override = (byte >> 3) & 3;
    }
    out.lock = lock;
    out.repeat = repeat;
    out.segmentOverride = override;
    out.prefix66 = prefix66;
    out.rex = rex;
    out.vex = false;
    out.vvvv = 0;
    out.vectorLength = 0;
    out.addressSize = is64 ? (prefix67 ? 32 : 64) : (mode.codeSize === 32) !== prefix67 ? 32 : 16;

    let row: number;
    let variant: number;
    // Bits 3-0: W R X B.
    let extension = rex & 15;
    const vexByte = byte === 0xc4 || byte === 0xc5 || byte === 0x62;
    if (vexByte && this.at >= this.end) return this.outOfBytes();
    // Outside 64-bit mode these are LES, LDS and BOUND unless the next byte would be a ModRM byte with a register
    // operand, which those do not have.
    if (vexByte && (is64 || bytes[this.at] >= 0xc0)) {
      if (!mode.vex || lock || prefix66 || repeat !== 0 || rex !== 0) return DecodeStatus.Undefined;
      if (byte === 0x62) return this.evex();
      const longForm = byte === 0xc4;
      if (this.at + (longForm ? 3 : 2) > this.end) return this.outOfBytes();
      const first = bytes[this.at++];
      const last = longForm ? bytes[this.at++] : first;
      const map = longForm ? first & 31 : 1;
      if (map < 1 || map > 3) return DecodeStatus.Undefined;
      extension = longForm ? (((first >> 5) & 7) ^ 7) | ((last & 0x80) >> 4) : ((first >> 5) & 4) ^ 4;
      out.vex = true;
      out.vvvv = ((last >> 3) & 15) ^ 15;
      out.vectorLength = (last >> 2) & 1;
      byte = bytes[this.at++];
      row = this.tables.row(map, 4, byte);
      variant = (last & 3) | (is64 ? 4 : 0) | (extension & 8) | (out.vectorLength << 4);
    } else {
      let map = 0;
      if (byte === 0x0f) {
        if (this.at >= this.end) return this.outOfBytes();
        byte = bytes[this.at++];
        map = 1;
        if (byte === 0x38 || byte === 0x3a) {
          map = byte === 0x38 ? 2 : 3;
          if (this.at >= this.end) return this.outOfBytes();
          byte = bytes[this.at++];
        }
      }
      row = this.tables.row(map, 0, byte);
      variant = repeat !== 0 ? 1 + repeat : prefix66 ? 1 : 0;
      variant |= (is64 ? 4 : 0) | (extension & 8) | ((extension & 1) << 4);
    }
    if (row < 0) return DecodeStatus.Undefined;
    out.opcodeByte = byte;

    let modrm = 0;
    if (this.tables.hasModrm(row)) {
      if (this.at >= this.end) return this.outOfBytes();
      modrm = bytes[this.at++];
    }
    let line = this.tables.find(row, variant, modrm);
    if (line === undefined) return DecodeStatus.Undefined;
    if (line.byAddressSize !== null) line = ofAddressSize(line.byAddressSize, out.addressSize) ?? line;
    if (lock && (!line.lockable || modrm >= 0xc0)) return DecodeStatus.Undefined;
    if (out.vex) {
      if (!is64) {
        // Registers 8-15 do not exist; SDM 2, section 2.3.5: the inverted bits of vvvv are ignored or fixed.
        extension &= 8;
        if (!line.usesVvvv && out.vvvv !== 0) return DecodeStatus.Undefined;
        out.vvvv &= 7;
      } else if (!line.usesVvvv && out.vvvv !== 0) return DecodeStatus.Undefined;
    }
    out.opcode = line.opcode;
    out.modrm = modrm;
    out.operandSize = operandSizeOf(line, mode.codeSize, prefix66, is64 && (extension & 8) !== 0);
    out.memory = false;
    out.base = NO_REGISTER;
    out.index = NO_REGISTER;
    out.scale = 0;
    out.displacement = 0;
    out.displacementHigh = 0;
    out.segment = override < 0 ? Segment.DS : override;
    if (line.modrm) {
      out.reg = ((modrm >> 3) & 7) | ((extension & 4) << 1);
      if (line.segmentRegister) out.reg &= 7;
      if (((line.validRegisters >> out.reg) & 1) === 0) return DecodeStatus.Undefined;
      if (modrm >= 0xc0 || line.registerOnly) out.rm = (modrm & 7) | ((extension & 1) << 3);
      else {
        out.memory = line.memory;
        // Addresses with a vector index need a SIB byte, which 16-bit addresses do not have.
        if (line.vsib && ((modrm & 7) !== 4 || out.addressSize === 16)) return DecodeStatus.Undefined;
        if (!this.memoryOperand(modrm, extension, out, line.vsib)) return this.outOfBytes();
        if (line.vsib && (out.rm === out.reg || out.rm === out.vvvv || out.reg === out.vvvv))
          return DecodeStatus.Undefined;
      }
    } else if (line.plusRegister) out.reg = (byte & 7) | ((extension & 1) << 3);
    if (!this.immediates(line, out)) return this.outOfBytes();
    if (line.registerImmediate && !is64) out.immediateLow &= 0x7f;
    out.length = this.at - at;
    return DecodeStatus.Ok;
  }

  private outOfBytes(): DecodeStatus {
    return this.end - this.start < MAXIMUM_LENGTH ? DecodeStatus.NeedMore : DecodeStatus.TooLong;
  }

  /** AVX-512 is not implemented: undefined once the prefix and the opcode are there. */
  private evex(): DecodeStatus {
    return this.at + 4 > this.end ? this.outOfBytes() : DecodeStatus.Undefined;
  }

  /** SIB and displacement. False if the bytes run out. */
  private memoryOperand(modrm: number, extension: number, out: DecodedInstruction, vsib: boolean): boolean {
    if (out.addressSize === 16) return this.memoryOperand16(modrm, out);
    const mod = modrm >> 6;
    let base = modrm & 7;
    let displacementBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
    if (base === 4) {
      if (this.at >= this.end) return false;
      const sib = this.bytes[this.at++];
      const index = ((sib >> 3) & 7) | ((extension & 2) << 2);
      if (vsib) {
        out.rm = index;
        out.scale = sib >> 6;
      } else if (index !== 4) {
        out.index = index;
        out.scale = sib >> 6;
      }
      base = sib & 7;
      if (base === 5 && mod === 0) {
        base = NO_REGISTER;
        displacementBytes = 4;
      } else base |= (extension & 1) << 3;
    } else if (base === 5 && mod === 0) {
      // Without SIB this is RIP-relative in 64-bit code, whatever the address size.
      base = this.is64 ? BASE_RIP : NO_REGISTER;
      displacementBytes = 4;
    } else base |= (extension & 1) << 3;
    out.base = base;
    if (out.segmentOverride < 0 && (base === 4 || base === 5)) out.segment = Segment.SS;
    return this.displacement(displacementBytes, out);
  }

  private memoryOperand16(modrm: number, out: DecodedInstruction): boolean {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    if (mod === 0 && rm === 6) return this.displacement(2, out);
    out.base = BASE_16[rm];
    out.index = INDEX_16[rm];
    if (out.base === NO_REGISTER) {
      // [SI] and [DI] have one register; it is the base like that of any other address.
      out.base = out.index;
      out.index = NO_REGISTER;
    }
    if (out.segmentOverride < 0 && out.base === 5) out.segment = Segment.SS;
    return this.displacement(mod, out);
  }

  private displacement(bytes: number, out: DecodedInstruction): boolean {
    if (bytes === 0) return true;
    if (this.at + bytes > this.end) return false;
    const { at } = this;
    if (bytes === 1) out.displacement = (this.bytes[at] << 24) >> 24;
    else if (bytes === 2) out.displacement = ((this.bytes[at] | (this.bytes[at + 1] << 8)) << 16) >> 16;
    else out.displacement = this.int32(at);
    out.displacementHigh = out.displacement >> 31;
    this.at += bytes;
    return true;
  }

  private immediates(line: DecodeLine, out: DecodedInstruction): boolean {
    out.immediateLow = 0;
    out.immediateHigh = 0;
    const kind = line.immediate;
    if (kind === ImmediateKind.None) return true;
    if (kind === ImmediateKind.StackRegister) {
      out.immediateLow = out.modrm & 7;
      return true;
    }
    const bytes = immediateBytes(kind, out);
    const far = kind === ImmediateKind.Far ? 2 : 0;
    if (this.at + bytes + far > this.end) return false;
    const { at } = this;
    this.at += bytes + far;
    const signed = line.immediateSigned;
    if (bytes === 1) out.immediateLow = signed ? (this.bytes[at] << 24) >> 24 : this.bytes[at];
    else if (bytes === 2) {
      const word = this.bytes[at] | (this.bytes[at + 1] << 8);
      out.immediateLow = signed ? (word << 16) >> 16 : word;
    } else out.immediateLow = this.int32(at);
    if (bytes === 8) out.immediateHigh = this.int32(at + 4);
    else if (signed) out.immediateHigh = out.immediateLow >> 31;
    if (far !== 0) out.immediateHigh = this.bytes[at + bytes] | (this.bytes[at + bytes + 1] << 8);
    if (kind === ImmediateKind.Offset) {
      out.memory = true;
      out.displacement = out.immediateLow;
      out.displacementHigh = out.immediateHigh;
    }
    return line.secondImmediate === ImmediateKind.None || this.secondImmediate(out);
  }

  private secondImmediate(out: DecodedInstruction): boolean {
    if (this.at >= this.end) return false;
    out.immediateHigh = this.bytes[this.at++];
    return true;
  }

  private int32(at: number): number {
    const { bytes } = this;
    return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  }
}

function ofAddressSize(lines: readonly DecodeLine[], size: 16 | 32 | 64): DecodeLine | undefined {
  for (const line of lines) if (line.opcode.attributes.addressSize === size) return line;
  return undefined;
}

function operandSizeOf(line: DecodeLine, codeSize: 16 | 32 | 64, prefix66: boolean, w: boolean): 16 | 32 | 64 {
  const small = prefix66 && !line.consumes66;
  if (codeSize !== 64) return (codeSize === 16) !== small ? 16 : 32;
  if (w || line.force64) return 64;
  if (small) return 16;
  return line.default64 ? 64 : 32;
}

function immediateBytes(kind: ImmediateKind, out: DecodedInstruction): number {
  switch (kind) {
    case ImmediateKind.Byte:
      return 1;
    case ImmediateKind.Word:
      return 2;
    case ImmediateKind.Dword:
      return 4;
    case ImmediateKind.V:
      return out.operandSize >> 3;
    case ImmediateKind.Offset:
      return out.addressSize >> 3;
    default:
      return out.operandSize === 16 ? 2 : 4;
  }
}
