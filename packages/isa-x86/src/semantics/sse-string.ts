// SPDX-License-Identifier: Apache-2.0
// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: the helpers compare and return EFLAGS in bits 16-31.
import type { Value } from "@isola/engine";
import type { Semantics } from "./semantics.js";
import { isVex, storeScratch } from "./vector-operand.js";
import { Gpr, type X86Emitter, ZERO_VECTOR } from "./x86-emitter.js";

function compare(kind: "Index" | "Mask", explicit: boolean): Semantics {
  return (e, [a, b, imm], form) => {
    const second = e.readVector(b!, true);
    storeScratch(e, 0, [e.readVector(a!)]);
    storeScratch(e, 1, [second]);
    const size = form.opcode.encoding.rexW === 1 ? 64 : 32;
    const args: Value[] = [e.cpu, e.read(imm!)];
    if (explicit) args.push(length(e, Gpr.RAX, size), length(e, Gpr.RDX, size));
    const result = e.call(`${explicit ? "explicit" : "implicit"}String${kind}`, args, "i32");
    if (kind === "Index") e.writeGpr(Gpr.RCX, 32, e.and(result, e.i32(0xffff)));
    else {
      e.writeVectorRegister(0, 0, e.readScratch(0, 0));
      if (isVex(e)) e.writeVectorRegister(0, 1, e.v128(ZERO_VECTOR));
    }
    e.flags.writeAll(e.shrU(result, 16));
  };
}

/** Length register of an explicit-length comparison: EAX or EDX, or with REX.W all 64 bits. */
function length(e: X86Emitter, register: Gpr, size: 32 | 64): Value {
  return e.extendS(e.readGpr(register, size));
}

export const pcmpestri: Semantics = compare("Index", true);
export const pcmpestrm: Semantics = compare("Mask", true);
export const pcmpistri: Semantics = compare("Index", false);
export const pcmpistrm: Semantics = compare("Mask", false);
