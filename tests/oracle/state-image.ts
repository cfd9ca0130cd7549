// SPDX-License-Identifier: Apache-2.0
/**
 * The user-visible state of a CPU as one block of bytes, so that a million states can be filled and compared without
 * allocating. Little-endian. General registers are in encoding order (RAX RCX RDX RBX RSP RBP RSI RDI R8-R15).
 */
export const enum StateOffset {
  Gpr = 0, // 16 x 8
  Rip = 128,
  Flags = 136, // u32
  Mxcsr = 140, // u32
  Fcw = 144, // u16
  Fsw = 146, // u16, TOP included
  Ftw = 148, // u8, abridged as in FXSAVE: bit i set = physical register i is not empty
  St = 160, // 8 x 16, ST(0) first; 10 bytes used, the others zero
  Xmm = 288, // 16 x 16
  YmmHigh = 544, // 16 x 16
  Size = 800,
}

export class StateImage {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;

  constructor() {
    const buffer = new ArrayBuffer(StateOffset.Size);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.view = new DataView(buffer);
  }

  copyFrom(other: StateImage): void {
    this.words.set(other.words);
  }

  /** Index of the first 32-bit word that differs from `other`, or -1. */
  firstDifference(other: StateImage): number {
    const a = this.words;
    const b = other.words;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
    return -1;
  }
}

const GPR_NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];

export interface StateField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Every field of the image, for messages. */
export const STATE_FIELDS: readonly StateField[] = [
  ...Array.from({ length: 16 }, (_, i) => ({
    name: GPR_NAMES[i] ?? `r${i}`,
    offset: StateOffset.Gpr + 8 * i,
    size: 8,
  })),
  { name: "rip", offset: StateOffset.Rip, size: 8 },
  { name: "flags", offset: StateOffset.Flags, size: 4 },
  { name: "mxcsr", offset: StateOffset.Mxcsr, size: 4 },
  { name: "fcw", offset: StateOffset.Fcw, size: 2 },
  { name: "fsw", offset: StateOffset.Fsw, size: 2 },
  { name: "ftw", offset: StateOffset.Ftw, size: 1 },
  ...Array.from({ length: 8 }, (_, i) => ({ name: `st${i}`, offset: StateOffset.St + 16 * i, size: 10 })),
  ...Array.from({ length: 16 }, (_, i) => ({ name: `xmm${i}`, offset: StateOffset.Xmm + 16 * i, size: 16 })),
  ...Array.from({ length: 16 }, (_, i) => ({ name: `ymmh${i}`, offset: StateOffset.YmmHigh + 16 * i, size: 16 })),
];

/** A field as one hexadecimal number, most significant digit first. */
export function fieldText(image: StateImage, field: StateField): string {
  let text = "";
  for (let i = field.size - 1; i >= 0; i--) text += image.bytes[field.offset + i].toString(16).padStart(2, "0");
  return text;
}
