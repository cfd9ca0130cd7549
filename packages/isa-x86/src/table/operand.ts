// SPDX-License-Identifier: Apache-2.0
/**
 * Operand codes in the notation of the SDM's opcode map (volume 2, appendix A.2): an addressing letter and a type.
 *
 * | letter | meaning                             | letter | meaning                                   |
 * |--------|-------------------------------------|--------|-------------------------------------------|
 * | E      | ModRM.rm: GPR or memory             | V      | ModRM.reg: XMM                            |
 * | G      | ModRM.reg: GPR                      | W      | ModRM.rm: XMM or memory                   |
 * | M      | ModRM.rm: memory only               | U      | ModRM.rm: XMM only                        |
 * | R      | ModRM.rm: GPR only                  | H      | VEX.vvvv: XMM                             |
 * | B      | VEX.vvvv: GPR                       | P      | ModRM.reg: MMX                            |
 * | Z      | low 3 opcode bits: GPR              | Q      | ModRM.rm: MMX or memory                   |
 * | I      | immediate, sign-extended            | N      | ModRM.rm: MMX only                        |
 * | L      | immediate, zero-extended            | S C D  | ModRM.reg: segment, control, debug        |
 * | J      | branch displacement                 | F      | ModRM.rm: ST(i) (x87)                     |
 * | O      | absolute offset                     | A      | far pointer                               |
 * | X      | memory at DS:rSI (string)           | Y      | memory at ES:rDI (string)                 |
 * | T      | the table of XLAT at DS:rBX         | K      | imm8[7:4]: XMM                            |
 *
 * Types: b 8, w 16, d 32, q 64, dq 128, x 128 (256 with VEX.L), y 32 or 64 by operand size, z 16 or 32, v 16/32/64,
 * t 80, p far pointer of operand size, a pair of operands, s descriptor-table register image, nothing = size does not matter (LEA).
 * Fixed: AL CL AX DX eAX rAX 1, and the segment registers es cs ss ds fs gs.
 */
export type OperandCode = string;

export type Slot = "reg" | "rm" | "vvvv";

/** One operand of one concrete form. Sizes in bits. */
export type Operand =
  | { readonly kind: "gpr"; readonly size: 8 | 16 | 32 | 64; readonly slot: Slot }
  /** A register that the opcode implies: `index` of the GPR (0 = RAX). */
  | { readonly kind: "fixed"; readonly size: 8 | 16 | 32 | 64; readonly index: number }
  /** Size 0: the instruction does not access it as a whole. */
  | { readonly kind: "mem"; readonly size: number }
  | { readonly kind: "imm"; readonly size: 8 | 16 | 32 | 64 }
  | { readonly kind: "one" }
  /** `size` is what the instruction uses of the register: 32 for MOVSS. */
  | { readonly kind: "vec"; readonly size: number; readonly slot: Slot }
  /** The register whose number is in bits 4-7 of the immediate (VBLENDVPS). */
  | { readonly kind: "vecImmediate"; readonly size: number }
  | { readonly kind: "mmx"; readonly size: number; readonly slot: Slot }
  | { readonly kind: "segment" | "control" | "debug"; readonly slot: Slot }
  /** A segment register that the opcode implies: 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS. */
  | { readonly kind: "fixedSegment"; readonly index: number }
  /** x87 stack register; the number is in the record's immediate. */
  | { readonly kind: "st" }
  /** Memory that a string instruction addresses through rSI or rDI; never the form's memory operand. */
  | { readonly kind: "string"; readonly size: 8 | 16 | 32 | 64 }
  | { readonly kind: "relative" }
  | { readonly kind: "far" };

const FIXED: { readonly [code: string]: readonly [size: 8 | 16 | 32 | 0, index: number] } = {
  AL: [8, 0],
  CL: [8, 1],
  AX: [16, 0],
  DX: [16, 2],
  eAX: [0, 0],
  rAX: [0, 0],
};

const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"] as const;

/** Bits of operand type `type` under `operandSize`; 0 where the size does not matter. */
export function bitsOfType(type: string, operandSize: 16 | 32 | 64, vectorSize: 128 | 256): number {
  switch (type) {
    case "b":
      return 8;
    case "w":
      return 16;
    case "d":
      return 32;
    case "q":
      return 64;
    case "x":
      return vectorSize;
    case "dq":
      return 128;
    case "v":
      return operandSize;
    case "y":
      return operandSize === 64 ? 64 : 32;
    case "z":
      return operandSize === 16 ? 16 : 32;
    case "t":
      return 80;
    default:
      return 0;
  }
}

/**
 * The operand that `code` stands for.
 * @param memory whether ModRM names memory (mod != 3)
 */
export function resolveOperand(
  code: OperandCode,
  operandSize: 16 | 32 | 64,
  memory: boolean,
  vectorSize: 128 | 256 = 128,
): Operand {
  if (code === "1") return { kind: "one" };
  const fixed = FIXED[code];
  if (fixed !== undefined) {
    const size = fixed[0] === 0 ? (code === "eAX" && operandSize === 64 ? 32 : operandSize) : fixed[0];
    return { kind: "fixed", size, index: fixed[1] };
  }
  const segment = (SEGMENTS as readonly string[]).indexOf(code);
  if (segment >= 0) return { kind: "fixedSegment", index: segment };
  const letter = code[0] ?? "";
  const size = bitsOfType(code.slice(1), operandSize, vectorSize);
  const gprSize = (size === 0 ? operandSize : size) as 8 | 16 | 32 | 64;
  switch (letter) {
    case "E":
      return memory ? { kind: "mem", size } : { kind: "gpr", size: gprSize, slot: "rm" };
    case "M":
      return { kind: "mem", size };
    case "R":
      return { kind: "gpr", size: gprSize, slot: "rm" };
    case "G":
      return { kind: "gpr", size: gprSize, slot: "reg" };
    case "B":
      return { kind: "gpr", size: gprSize, slot: "vvvv" };
    case "Z":
      return { kind: "gpr", size: gprSize, slot: "reg" };
    case "I":
    case "L":
      return { kind: "imm", size: gprSize };
    case "V":
      return { kind: "vec", size, slot: "reg" };
    case "W":
      return memory ? { kind: "mem", size } : { kind: "vec", size, slot: "rm" };
    case "U":
      return { kind: "vec", size, slot: "rm" };
    case "H":
      return { kind: "vec", size, slot: "vvvv" };
    case "K":
      return { kind: "vecImmediate", size };
    case "P":
      return { kind: "mmx", size, slot: "reg" };
    case "Q":
      return memory ? { kind: "mem", size } : { kind: "mmx", size, slot: "rm" };
    case "N":
      return { kind: "mmx", size, slot: "rm" };
    case "S":
      return { kind: "segment", slot: "reg" };
    case "C":
      return { kind: "control", slot: "reg" };
    case "D":
      return { kind: "debug", slot: "reg" };
    case "F":
      return { kind: "st" };
    case "X":
    case "Y":
      return { kind: "string", size: gprSize };
    case "J":
      return { kind: "relative" };
    case "O":
      return { kind: "mem", size };
    case "A":
      return { kind: "far" };
    default:
      throw new Error(`unknown operand code ${code}`);
  }
}
