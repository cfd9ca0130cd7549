// SPDX-License-Identifier: Apache-2.0
// Runs one x87 instruction on the helpers: what a handler of the opcode table does, with a buffer for its operand.
import { CPU, SCRATCH, type FloatModule, type Integer } from "./float-module.js";

/** Operand memory: `before` is read, `after` written. */
export interface OperandMemory {
  readonly before: Buffer;
  readonly after: Buffer;
}

export type X87Executor = (code: Uint8Array, memory: OperandMemory) => void;

/** Executes FWAIT, EMMS and the D8-DF opcodes in 64-bit mode; memory operands are all at the start of the buffer. */
export function x87Executor(module: FloatModule): X87Executor {
  const call = (name: string, ...operands: Integer[]): Integer => module.call[name]!(CPU, ...operands);
  const image = (length: number): Uint8Array => module.memory.subarray(SCRATCH, SCRATCH + length);

  /** A store in two steps. */
  const store = (status: Integer, length: number, pops: number, memory: OperandMemory): void => {
    if (status === 0) return;
    memory.after.set(image(length));
    call("x87StoreDone", pops);
  };
  const readImage = (memory: OperandMemory, length: number): void =>
    image(length).set(memory.before.subarray(0, length));

  const environment = (reg: number, layout: number, registers: number, memory: OperandMemory): void => {
    const length = Number(module.call["x87EnvironmentSize"]!(layout)) + registers;
    if (reg === 4) {
      readImage(memory, length);
      call(registers === 0 ? "x87LoadEnvironment" : "x87Restore", layout);
    } else {
      call(registers === 0 ? "x87StoreEnvironment" : "x87Save", layout);
      memory.after.set(image(length));
      call(registers === 0 ? "x87StoreEnvironmentDone" : "x87Init");
    }
  };

  const memoryForm = (opcode: number, reg: number, layout: number, memory: OperandMemory): void => {
    const { before, after } = memory;
    const integer = (bits: number, truncate: number): void =>
      store(call("x87StoreInteger", bits, truncate), bits / 8, truncate !== 0 || (reg & 1) !== 0 ? 1 : 0, memory);
    switch ((opcode << 4) | reg) {
      case 0xd90:
        call("x87LoadF32", before.readUInt32LE(0));
        return;
      case 0xd92:
      case 0xd93:
        store(call("x87StoreF32"), 4, reg & 1, memory);
        return;
      case 0xd94:
      case 0xd96:
        environment(reg, layout, 0, memory);
        return;
      case 0xd95:
        call("x87LoadControlWord", before.readUInt16LE(0));
        return;
      case 0xd97:
        after.writeUInt16LE(Number(call("x87ControlWord")), 0);
        return;
      case 0xdb0:
        call("x87LoadInteger", BigInt(before.readInt32LE(0)));
        return;
      case 0xdb1:
        integer(32, 1);
        return;
      case 0xdb2:
      case 0xdb3:
        integer(32, 0);
        return;
      case 0xdb5:
        call("x87LoadF80", before.readBigUInt64LE(0), before.readUInt16LE(8));
        return;
      case 0xdb7:
        store(call("x87StoreF80"), 10, 1, memory);
        return;
      case 0xdd0:
        call("x87LoadF64", before.readBigUInt64LE(0));
        return;
      case 0xdd1:
        integer(64, 1);
        return;
      case 0xdd2:
      case 0xdd3:
        store(call("x87StoreF64"), 8, reg & 1, memory);
        return;
      case 0xdd4:
      case 0xdd6:
        environment(reg, layout, 80, memory);
        return;
      case 0xdd7:
        after.writeUInt16LE(Number(call("x87StatusWord")), 0);
        return;
      case 0xdf0:
        call("x87LoadInteger", BigInt(before.readInt16LE(0)));
        return;
      case 0xdf1:
        integer(16, 1);
        return;
      case 0xdf2:
      case 0xdf3:
        integer(16, 0);
        return;
      case 0xdf4:
        readImage(memory, 10);
        call("x87LoadBcd");
        return;
      case 0xdf5:
        call("x87LoadInteger", before.readBigInt64LE(0));
        return;
      case 0xdf6:
        store(call("x87StoreBcd"), 10, 1, memory);
        return;
      case 0xdf7:
        integer(64, 0);
        return;
    }
    switch (opcode) {
      case 0xd8:
        call("x87ArithmeticF32", reg, before.readUInt32LE(0));
        return;
      case 0xda:
        call("x87ArithmeticInteger", reg, before.readInt32LE(0));
        return;
      case 0xdc:
        call("x87ArithmeticF64", reg, before.readBigUInt64LE(0));
        return;
      case 0xde:
        call("x87ArithmeticInteger", reg, before.readInt16LE(0));
        return;
    }
    throw new Error(`no instruction ${opcode.toString(16)} /${reg}`);
  };

  const d9Register = (modrm: number, i: number): void => {
    const names: { readonly [modrm: number]: string } = {
      0xe0: "x87ChangeSign",
      0xe1: "x87Absolute",
      0xe4: "x87Test",
      0xe5: "x87Examine",
      0xf0: "x87Exp2Minus1",
      0xf1: "x87YLog2X",
      0xf2: "x87PartialTangent",
      0xf3: "x87PartialArctangent",
      0xf4: "x87Extract",
      0xf6: "x87DecrementTop",
      0xf7: "x87IncrementTop",
      0xf9: "x87YLog2XPlus1",
      0xfa: "x87SquareRoot",
      0xfb: "x87SineCosine",
      0xfc: "x87RoundToInteger",
      0xfd: "x87Scale",
      0xfe: "x87Sine",
      0xff: "x87Cosine",
    };
    const name = names[modrm];
    if (name !== undefined) call(name);
    else if (modrm === 0xf5 || modrm === 0xf8) call("x87PartialRemainder", modrm === 0xf5 ? 1 : 0);
    else if (modrm < 0xc8) call("x87LoadRegister", i);
    else if (modrm < 0xd0) call("x87Exchange", i);
    else if (modrm < 0xd8) call("x87Wait");
    else if (modrm < 0xe0) call("x87StoreRegisterAlias", i);
    else call("x87LoadConstant", i);
  };

  const registerForm = (opcode: number, modrm: number): void => {
    const reg = (modrm >> 3) & 7;
    const i = modrm & 7;
    if (opcode === 0xd8) call("x87ArithmeticRegister", reg, i);
    else if (opcode === 0xd9) d9Register(modrm, i);
    else if (opcode === 0xda) {
      if (modrm === 0xe9) call("x87Compare", 1, 1, 2);
      else call("x87ConditionalMove", i, 0);
    } else if (opcode === 0xdb) {
      if (reg < 4) call("x87ConditionalMove", i, 1);
      else if (modrm === 0xe2) call("x87ClearExceptions");
      else if (modrm === 0xe3) call("x87Init");
      else call("x87CompareFlags", i, reg === 5 ? 1 : 0, 0);
    } else if (opcode === 0xdc) {
      if (reg === 2 || reg === 3) call("x87Compare", i, 0, reg & 1);
      else call("x87ArithmeticTo", reg, i, 0);
    } else if (opcode === 0xdd) {
      if (reg === 0) call("x87Free", i, 0);
      else if (reg === 1) call("x87Exchange", i);
      else if (reg < 4) call("x87StoreRegister", i, reg & 1);
      else call("x87Compare", i, 1, reg & 1);
    } else if (opcode === 0xde) {
      if (reg === 2) call("x87Compare", i, 0, 1);
      else if (reg === 3) call("x87Compare", 1, 0, 2);
      else call("x87ArithmeticTo", reg, i, 1);
    } else if (reg === 0) call("x87Free", i, 1);
    else if (reg === 1) call("x87Exchange", i);
    else if (reg < 4) call("x87StoreRegister", i, 1);
    else call("x87CompareFlags", i, reg === 5 ? 1 : 0, 1);
  };

  return (code, memory) => {
    const layout = code[0] === 0x66 ? 0 : 1;
    const [opcode, modrm] = code[0] === 0x66 ? [code[1]!, code[2]!] : [code[0]!, code[1] ?? 0];
    if (opcode === 0x9b) call("x87Wait");
    else if (opcode === 0x0f) call("mmxEmpty");
    else if (modrm < 0xc0) memoryForm(opcode, (modrm >> 3) & 7, layout, memory);
    else registerForm(opcode, modrm);
  };
}
