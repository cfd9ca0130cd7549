// SPDX-License-Identifier: Apache-2.0
// AVX instructions that access memory element by element, under a mask: VMASKMOV, VPMASKMOV, gathers.
import type { Value } from "@isola/engine";
import type { Semantics } from "./semantics.js";
import {
  type Halves,
  loadScratch,
  readHalves,
  rolesOf,
  storeScratch,
  vectorRegister,
  writeHalves,
} from "./vector-operand.js";
import type { VectorRegister, X86Emitter } from "./x86-emitter.js";

/** What helpers make the addresses of elements from: record, segment and address size, offset of the first element. */
function addressParts(e: X86Emitter): Value[] {
  return [e.cpu, e.record, e.wrap(e.immediate()), e.effectiveAddress()];
}

/** VMASKMOVPS and its like from memory: elements whose mask has the sign bit clear become 0 and are not accessed. */
export function maskedLoad(width: 4 | 8): Semantics {
  return (e, operands) => {
    const { dst, a: mask } = rolesOf(operands);
    const masks = readHalves(e, mask);
    storeScratch(e, 1, masks);
    e.callFaulting("maskedLoad", [...addressParts(e), e.i32(width), e.i32((masks.length * 16) / width)]);
    writeHalves(e, dst, loadScratch(e, 0, masks.length));
  };
}

/** VMASKMOVPS and its like to memory. */
export function maskedStoreElements(width: 4 | 8): Semantics {
  return (e, [, mask, src]) => {
    const masks = readHalves(e, mask!);
    storeScratch(e, 0, readHalves(e, src!));
    storeScratch(e, 1, masks);
    e.callFaulting("maskedStoreElements", [...addressParts(e), e.i32(width), e.i32((masks.length * 16) / width)]);
  };
}

/**
 * VGATHERDPS and its like: elements whose mask has the sign bit set come from base + index * scale. The mask is cleared
 * as elements arrive; after a fault both registers show what was done before it.
 */
export function gather(width: 4 | 8, indexWidth: 4 | 8): Semantics {
  return (e, operands, form) => {
    const dst = vectorRegister(operands[0]);
    const mask = vectorRegister(operands[2]);
    const length = form.opcode.encoding.vex === 256 ? 32 : 16;
    const index: VectorRegister = {
      kind: "vec",
      size: form.opcode.attributes.vsib === "x" ? length * 8 : 128,
      slot: "rm",
    };
    storeScratch(e, 0, wholeRegister(e, dst));
    storeScratch(e, 1, wholeRegister(e, mask));
    storeScratch(e, 2, readHalves(e, index));
    const count = length / Math.max(width, indexWidth);
    e.callVoid("gather", [
      ...addressParts(e),
      e.i32(width),
      e.i32(indexWidth),
      e.i32(count),
      e.i32(dst.size / 8),
      e.i32(length),
    ]);
    for (const half of [0, 1] as const) {
      e.writeVectorHalf(dst, half, e.readScratch(0, half));
      e.writeVectorHalf(mask, half, e.readScratch(1, half));
    }
    e.leaveOnFault();
  };
}

function wholeRegister(e: X86Emitter, register: VectorRegister): Halves {
  return [e.readVectorHalf(register, 0), e.readVectorHalf(register, 1)];
}
