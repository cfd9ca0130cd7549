// SPDX-License-Identifier: Apache-2.0
import type { Semantics } from "./semantics.js";
import { Gpr, Vector } from "./x86-emitter.js";

/** DAA and DAS: AL after an addition or subtraction of packed decimals (SDM 2). OF is undefined and cleared. */
function decimalAdjustPacked(sign: 1 | -1): Semantics {
  return (e) => {
    const al = e.readGpr(Gpr.RAX, 8);
    const carry = e.flags.carry();
    const lowAdjust = e.or(e.gtU(e.and(al, e.i32(15)), e.i32(9)), e.flags.adjust());
    const highAdjust = e.or(e.gtU(al, e.i32(0x99)), carry);
    const correction = e.add(e.mul(lowAdjust, e.i32(6)), e.mul(highAdjust, e.i32(0x60)));
    const result = e.zeroExtend(sign === 1 ? e.add(al, correction) : e.sub(al, correction), 8);
    // DAS also sets CF if the correction by 6 borrows.
    const borrow = sign === 1 ? e.i32(0) : e.and(lowAdjust, e.ltU(al, e.i32(6)));
    e.flags.explicit(8, result, e.or(highAdjust, borrow), e.i32(0), lowAdjust);
    e.writeGpr(Gpr.RAX, 8, result);
  };
}

export const daa: Semantics = decimalAdjustPacked(1);
export const das: Semantics = decimalAdjustPacked(-1);

/** AAA and AAS: AX after an addition or subtraction of unpacked decimals. OF, SF, ZF and PF are undefined. */
function decimalAdjustUnpacked(by: number): Semantics {
  return (e) => {
    const ax = e.readGpr(Gpr.RAX, 16);
    const adjust = e.or(e.gtU(e.and(ax, e.i32(15)), e.i32(9)), e.flags.adjust());
    const result = e.and(e.add(ax, e.mul(adjust, e.i32(by))), e.i32(0xff0f));
    e.flags.explicit(8, e.and(result, e.i32(0xff)), adjust, e.i32(0), adjust);
    e.writeGpr(Gpr.RAX, 16, result);
  };
}

export const aaa: Semantics = decimalAdjustUnpacked(0x106);
export const aas: Semantics = decimalAdjustUnpacked(-0x106);

/** AAM: AH = AL / imm8, AL = AL % imm8. */
export const aam: Semantics = (e) => {
  const base = e.and(e.wrap(e.immediate()), e.i32(0xff));
  e.raiseIf(e.eqz(base), Vector.DE);
  const al = e.readGpr(Gpr.RAX, 8);
  const low = e.op("i32.rem_u", al, base);
  e.flags.explicit(8, low, e.i32(0), e.i32(0));
  e.writeGpr(Gpr.RAX, 16, e.or(e.shl(e.op("i32.div_u", al, base), 8), low));
};

/** AAD: AL = AL + AH * imm8, AH = 0. CF, OF and AF are undefined; real CPUs set them as the addition does. */
export const aad: Semantics = (e) => {
  const ax = e.readGpr(Gpr.RAX, 16);
  const low = e.and(ax, e.i32(0xff));
  const high = e.and(e.mul(e.shrU(ax, 8), e.wrap(e.immediate())), e.i32(0xff));
  const result = e.and(e.add(low, high), e.i32(0xff));
  e.flags.add(8, low, high, result);
  e.writeGpr(Gpr.RAX, 16, result);
};
