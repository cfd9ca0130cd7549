// SPDX-License-Identifier: Apache-2.0
import { memoryUse } from "../table/form.js";
import { type Encoding, type Opcode, OpcodeMap } from "../table/opcode.js";

/** How many immediate bytes a line takes, where that depends on more than the line: z, v, offset, far. */
export const enum ImmediateKind {
  None = 0,
  Byte = 1,
  Word = 2,
  Dword = 3,
  /** 16 or 32 bits by operand size. */
  Z = 4,
  /** 16, 32 or 64 bits by operand size. */
  V = 5,
  /** An address of the address size (MOV with moffs). */
  Offset = 6,
  /** A far pointer: offset of 16 or 32 bits by operand size, then the selector. */
  Far = 7,
  /** No bytes: the number of an x87 register, ModRM.rm. */
  StackRegister = 8,
}

/** One line of the opcode table, digested for the decoder. */
export interface DecodeLine {
  readonly opcode: Opcode;
  readonly modrm: boolean;
  /** ModRM.mod does not matter and rm is always a register: MOV to and from control and debug registers. */
  readonly registerOnly: boolean;
  readonly plusRegister: boolean;
  readonly lockable: boolean;
  readonly default64: boolean;
  readonly force64: boolean;
  /** 66 is part of the opcode, not an operand-size prefix. */
  readonly consumes66: boolean;
  readonly usesVvvv: boolean;
  /** The index of the address is a vector register. */
  readonly vsib: boolean;
  /** An operand can be memory. Instructions like NOP have ModRM without one. */
  readonly memory: boolean;
  /** ModRM.reg is a segment register: REX.R does not extend it. */
  readonly segmentRegister: boolean;
  /** Bit i: ModRM.reg may be i. */
  readonly validRegisters: number;
  readonly immediate: ImmediateKind;
  readonly immediateSigned: boolean;
  readonly secondImmediate: ImmediateKind;
  /** The immediate names a register in bits 4-7; outside 64-bit mode bit 7 is ignored. */
  readonly registerImmediate: boolean;
  /** Lines of the same encoding for one address size each, or null. */
  byAddressSize: readonly DecodeLine[] | null;
}

/** Mandatory prefix in the order that VEX.pp has. */
const PREFIX_NUMBER = { np: 0, "66": 1, f3: 2, f2: 3 } as const;

/** How a row is indexed by ModRM: not at all; by mod = 3 and reg; by reg, and for mod = 3 also by rm. */
const enum RowShape {
  Single = 0,
  ModReg = 1,
  ModRegRm = 2,
}
const ROW_LENGTH = [1, 16, 8 + 64] as const;

/** Variants of a row: prefix (2 bits), 64-bit mode, REX.W or VEX.W, REX.B or VEX.L. */
const VARIANTS = 32;

/** Rows of VEX encodings follow the four legacy maps: VEX map m is table 4 + m. */
const TABLES = 8;

/**
 * Flat lookup tables from instruction bytes to table lines.
 *
 * Row of an opcode: `rowStart[(table * 256 + opcode)]`, with one part per variant; a part has one entry per ModRM class.
 * Entries are 1 + index into `lines`; 0 is an undefined opcode.
 */
export class DecodeTables {
  readonly lines: readonly DecodeLine[];
  private readonly entries: Uint16Array;
  private readonly rowStart: Int32Array = new Int32Array(TABLES * 256).fill(-1);
  private readonly rowShape: Uint8Array = new Uint8Array(TABLES * 256);
  private readonly rowModrm: Uint8Array = new Uint8Array(TABLES * 256);

  constructor(opcodes: readonly Opcode[]) {
    this.lines = opcodes.map(digest);
    const rows = new Map<number, DecodeLine[]>();
    for (const line of this.lines) {
      const { encoding } = line.opcode;
      const table = encoding.map + (encoding.vex === undefined ? 0 : 4);
      for (let i = 0; i < (encoding.plusRegister ? 8 : 1); i++) {
        const row = table * 256 + encoding.opcode + i;
        const others = rows.get(row);
        if (others === undefined) rows.set(row, [line]);
        else if (others[0]?.modrm === line.modrm) others.push(line);
        else throw new Error(`${line.opcode.name}: ModRM differs from ${others[0]?.opcode.name}`);
      }
    }
    const parts: { start: number; shape: RowShape; candidates: readonly DecodeLine[] }[] = [];
    let length = 0;
    for (const [row, candidates] of rows) {
      // Whatever the order of the table: a mandatory prefix is more specific than none.
      candidates.sort(
        (a, b) => Number(a.opcode.encoding.prefix === undefined) - Number(b.opcode.encoding.prefix === undefined),
      );
      const shape = shapeOf(candidates);
      const sizes = candidates.filter((line) => line.opcode.attributes.addressSize !== undefined);
      for (const line of sizes) line.byAddressSize = sizes;
      this.rowStart[row] = length;
      this.rowShape[row] = shape;
      this.rowModrm[row] = candidates[0]?.modrm === true ? 1 : 0;
      parts.push({ start: length, shape, candidates });
      length += VARIANTS * ROW_LENGTH[shape];
    }
    this.entries = new Uint16Array(length);
    const numbers = new Map(this.lines.map((line, i) => [line, i + 1]));
    for (const { start, shape, candidates } of parts) {
      const shared = candidates.some((line) => line.plusRegister);
      // Backwards, so that the first of several that match is what stays.
      for (const line of [...candidates].reverse()) this.fill(line, numbers.get(line) ?? 0, start, shape, shared);
    }
  }

  /** Puts a line into all entries of its row that it matches. */
  private fill(line: DecodeLine, number: number, start: number, shape: RowShape, shared: boolean): void {
    const rowLength = ROW_LENGTH[shape];
    const classes: number[] = [];
    const mod = modOf(line.opcode);
    for (let entry = 0; entry < rowLength; entry++)
      if (shape === RowShape.Single || matchesModrm(line.opcode.encoding, mod, shape, entry)) classes.push(entry);
    for (let variant = 0; variant < VARIANTS; variant++) {
      if (!matchesVariant(line, variant, shared)) continue;
      for (const entry of classes) this.entries[start + variant * rowLength + entry] = number;
    }
  }

  /** Row of an opcode, or -1 if no line has it. `vex` is 4 for VEX encodings, else 0. */
  row(map: OpcodeMap, vex: 0 | 4, opcode: number): number {
    const row = ((map + vex) << 8) | opcode;
    return this.rowStart[row] < 0 ? -1 : row;
  }

  hasModrm(row: number): boolean {
    return this.rowModrm[row] !== 0;
  }

  /**
   * The line for a row of {@link row}, or undefined: invalid opcode.
   * @param variant prefix | 64-bit mode << 2 | W << 3 | (REX.B or VEX.L) << 4; prefix 0 none, 1 66, 2 F3, 3 F2
   */
  find(row: number, variant: number, modrm: number): DecodeLine | undefined {
    let at = this.rowStart[row];
    switch (this.rowShape[row]) {
      case RowShape.Single:
        at += variant;
        break;
      case RowShape.ModReg:
        at += variant * 16 + (modrm >= 0xc0 ? 8 : 0) + ((modrm >> 3) & 7);
        break;
      default:
        at += variant * 72 + (modrm >= 0xc0 ? 8 + (modrm & 0x3f) : (modrm >> 3) & 7);
    }
    const number = this.entries[at];
    return number === 0 ? undefined : this.lines[number - 1];
  }
}

type ModRule = "reg" | "mem" | "ignored" | undefined;

/** What ModRM.mod must be, from the encoding and from operand codes that allow only a register or only memory. */
function modOf(opcode: Opcode): ModRule {
  const letters = opcode.operands.map((code) =>
    code === "DX" || code === "AX" || code === "AL" || code === "CL" ? "" : code[0],
  );
  if (letters.includes("C") || letters.includes("D")) return "ignored";
  if (opcode.encoding.mod !== undefined) return opcode.encoding.mod;
  if (letters.includes("M")) return "mem";
  return letters.some((letter) => letter === "R" || letter === "U" || letter === "N" || letter === "F")
    ? "reg"
    : undefined;
}

function shapeOf(lines: readonly DecodeLine[]): RowShape {
  let shape: RowShape = RowShape.Single;
  for (const { opcode } of lines) {
    if (opcode.encoding.rm !== undefined) return RowShape.ModRegRm;
    const mod = modOf(opcode);
    if (opcode.encoding.reg !== undefined || mod === "reg" || mod === "mem") shape = RowShape.ModReg;
  }
  return shape;
}

function matchesVariant(line: DecodeLine, variant: number, sharedWithRegisters: boolean): boolean {
  const { encoding, attributes } = line.opcode;
  const is64 = (variant & 4) !== 0;
  const w = (variant >> 3) & 1;
  const bOrL = (variant >> 4) & 1;
  if (attributes.only !== undefined && (attributes.only === "64") !== is64) return false;
  if (encoding.prefix !== undefined && PREFIX_NUMBER[encoding.prefix] !== (variant & 3)) return false;
  // In the maps 0F 38 and 0F 3A, F3 and F2 always select an instruction: they are never repeat prefixes to be ignored.
  if (encoding.map >= OpcodeMap.Of38 && encoding.prefix === undefined && (variant & 3) >= 2) return false;
  if (encoding.rexW !== undefined && encoding.rexW !== w) return false;
  if (encoding.vex !== undefined) {
    if (encoding.vex !== "lig" && (encoding.vex === 256 ? 1 : 0) !== bOrL) return false;
    // VEX has no "any prefix": a line without one means pp = 0.
    if (encoding.prefix === undefined && (variant & 3) !== 0) return false;
  } else if (sharedWithRegisters && !encoding.plusRegister && encoding.prefix === undefined && bOrL === 1) {
    // 90 is NOP, 41 90 is XCHG; but F3 41 90 is PAUSE.
    return false;
  }
  return true;
}

function matchesModrm(encoding: Encoding, mod: ModRule, shape: RowShape, entry: number): boolean {
  const isRegister = entry >= 8;
  const reg = shape === RowShape.ModReg || !isRegister ? entry & 7 : ((entry - 8) >> 3) & 7;
  if (encoding.reg !== undefined && encoding.reg !== reg) return false;
  if ((mod === "reg" && !isRegister) || (mod === "mem" && isRegister)) return false;
  return encoding.rm === undefined || (isRegister && encoding.rm === ((entry - 8) & 7));
}

function digest(opcode: Opcode): DecodeLine {
  const { encoding, attributes, operands } = opcode;
  const immediates = operands.map(immediateKind).filter((kind) => kind !== ImmediateKind.None);
  const first = operands.find((code) => immediateKind(code) !== ImmediateKind.None);
  return {
    opcode,
    modrm: encoding.modrm,
    registerOnly: modOf(opcode) === "ignored",
    plusRegister: encoding.plusRegister,
    lockable: attributes.lock === true,
    default64: attributes.size64 === "default64",
    force64: attributes.size64 === "force64",
    consumes66: encoding.prefix === "66",
    usesVvvv: operands.some((code) => code[0] === "H" || code[0] === "B"),
    registerImmediate: operands.some((code) => code[0] === "K"),
    vsib: attributes.vsib !== undefined,
    segmentRegister: operands.some((code) => code[0] === "S"),
    validRegisters: validRegisters(operands),
    immediate: immediates[0] ?? ImmediateKind.None,
    immediateSigned: first !== undefined && (first[0] === "I" || first[0] === "J"),
    secondImmediate: immediates[1] ?? ImmediateKind.None,
    memory: memoryUse(opcode) !== "never",
    byAddressSize: null,
  };
}

/** Not every number is a segment, control or debug register, and CS cannot be loaded (SDM 2, MOV): #UD. */
function validRegisters(operands: readonly string[]): number {
  const letters = operands.map((code) => code[0]);
  if (letters[0] === "S") return 0b11_1101;
  if (letters[1] === "S") return 0b11_1111;
  // CR0, CR2, CR3, CR4, CR8.
  if (operands.some((code) => /^C[a-z]$/.test(code))) return 0b1_0001_1101;
  return operands.some((code) => /^D[a-z]$/.test(code)) ? 0xff : 0xffff;
}

function immediateKind(code: string): ImmediateKind {
  switch (code[0]) {
    case "O":
      return ImmediateKind.Offset;
    case "A":
      return code === "AL" || code === "AX" ? ImmediateKind.None : ImmediateKind.Far;
    case "F":
      return ImmediateKind.StackRegister;
    case "K":
      return ImmediateKind.Byte;
    case "I":
    case "J":
    case "L":
      break;
    default:
      return ImmediateKind.None;
  }
  switch (code[1]) {
    case "b":
      return ImmediateKind.Byte;
    case "w":
      return ImmediateKind.Word;
    case "d":
      return ImmediateKind.Dword;
    case "z":
      return ImmediateKind.Z;
    case "v":
      return ImmediateKind.V;
    default:
      throw new Error(`immediate operand ${code} has no size`);
  }
}
