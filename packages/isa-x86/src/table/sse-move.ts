// SPDX-License-Identifier: Apache-2.0
// Moves of MMX and XMM registers.
import { mov } from "../semantics/move.js";
import { pandn, plain } from "../semantics/sse-integer.js";
import * as move from "../semantics/sse-move.js";
import { packed, packedUnary } from "../semantics/sse-operands.js";
import { fixed, fixedUnary } from "../semantics/sse-shuffle.js";
import { type Opcode, op } from "./opcode.js";

const MMX = { unit: "mmx" } as const;
const SSE = { unit: "sse" } as const;
const SSE3 = { unit: "sse", feature: "SSE3" } as const;

/** MOVHLPS: the upper half of the source becomes the lower half of the destination. */
const movhlps = packed(fixed(24, 25, 26, 27, 28, 29, 30, 31, 8, 9, 10, 11, 12, 13, 14, 15));
/** MOVLHPS: the lower half of the source becomes the upper half of the destination. */
const movlhps = packed(fixed(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
const movsldup = packedUnary(fixedUnary(0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11));
const movshdup = packedUnary(fixedUnary(4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15));
const movddup = packedUnary(fixedUnary(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7));

export const sseMove: readonly Opcode[] = [
  op("np 0f 10 /r", "movups Vx,Wx", move.moveUnaligned, SSE),
  op("66 0f 10 /r", "movupd Vx,Wx", move.moveUnaligned, SSE),
  op("f3 0f 10 /r", "movss Vd,Wd", move.moveScalar, SSE),
  op("f2 0f 10 /r", "movsd Vq,Wq", move.moveScalar, SSE),
  op("np 0f 11 /r", "movups Wx,Vx", move.moveUnaligned, SSE),
  op("66 0f 11 /r", "movupd Wx,Vx", move.moveUnaligned, SSE),
  op("f3 0f 11 /r", "movss Wd,Vd", move.moveScalar, SSE),
  op("f2 0f 11 /r", "movsd Wq,Vq", move.moveScalar, SSE),
  op("np 0f 12 /r reg", "movhlps Vx,Ux", movhlps, SSE),
  op("np 0f 12 /r mem", "movlps Vx,Mq", move.loadHalf(0), SSE),
  op("66 0f 12 /r mem", "movlpd Vx,Mq", move.loadHalf(0), SSE),
  op("f3 0f 12 /r", "movsldup Vx,Wx", movsldup, SSE3),
  op("f2 0f 12 /r", "movddup Vx,Wq", movddup, SSE3),
  op("np 0f 13 /r mem", "movlps Mq,Vx", move.storeHalf(0), SSE),
  op("66 0f 13 /r mem", "movlpd Mq,Vx", move.storeHalf(0), SSE),
  op("np 0f 16 /r reg", "movlhps Vx,Ux", movlhps, SSE),
  op("np 0f 16 /r mem", "movhps Vx,Mq", move.loadHalf(1), SSE),
  op("66 0f 16 /r mem", "movhpd Vx,Mq", move.loadHalf(1), SSE),
  op("f3 0f 16 /r", "movshdup Vx,Wx", movshdup, SSE3),
  op("np 0f 17 /r mem", "movhps Mq,Vx", move.storeHalf(1), SSE),
  op("66 0f 17 /r mem", "movhpd Mq,Vx", move.storeHalf(1), SSE),
  op("np 0f 28 /r", "movaps Vx,Wx", move.moveAligned, SSE),
  op("66 0f 28 /r", "movapd Vx,Wx", move.moveAligned, SSE),
  op("np 0f 29 /r", "movaps Wx,Vx", move.moveAligned, SSE),
  op("66 0f 29 /r", "movapd Wx,Vx", move.moveAligned, SSE),
  op("np 0f 2b /r mem", "movntps Mx,Vx", move.moveAligned, SSE),
  op("66 0f 2b /r mem", "movntpd Mx,Vx", move.moveAligned, SSE),

  op("np 0f 54 /r", "andps Vx,Wx", packed(plain("v128.and")), SSE),
  op("66 0f 54 /r", "andpd Vx,Wx", packed(plain("v128.and")), SSE),
  op("np 0f 55 /r", "andnps Vx,Wx", packed(pandn), SSE),
  op("66 0f 55 /r", "andnpd Vx,Wx", packed(pandn), SSE),
  op("np 0f 56 /r", "orps Vx,Wx", packed(plain("v128.or")), SSE),
  op("66 0f 56 /r", "orpd Vx,Wx", packed(plain("v128.or")), SSE),
  op("np 0f 57 /r", "xorps Vx,Wx", packed(plain("v128.xor")), SSE),
  op("66 0f 57 /r", "xorpd Vx,Wx", packed(plain("v128.xor")), SSE),

  op("np 0f 6e /r", "movd Pq,Ey", move.moveFromIntegerMmx, MMX),
  op("66 0f 6e /r", "movd Vx,Ey", move.moveFromInteger, SSE),
  op("np 0f 7e /r", "movd Ey,Pq", move.moveToIntegerMmx, MMX),
  op("66 0f 7e /r", "movd Ey,Vx", move.moveToInteger, SSE),
  op("f3 0f 7e /r", "movq Vq,Wq", move.moveQuad, SSE),
  op("66 0f d6 /r", "movq Wq,Vq", move.moveQuad, SSE),
  op("np 0f 6f /r", "movq Pq,Qq", move.moveMmx, MMX),
  op("66 0f 6f /r", "movdqa Vx,Wx", move.moveAligned, SSE),
  op("f3 0f 6f /r", "movdqu Vx,Wx", move.moveUnaligned, SSE),
  op("np 0f 7f /r", "movq Qq,Pq", move.moveMmx, MMX),
  op("66 0f 7f /r", "movdqa Wx,Vx", move.moveAligned, SSE),
  op("f3 0f 7f /r", "movdqu Wx,Vx", move.moveUnaligned, SSE),
  op("f3 0f d6 /r", "movq2dq Vx,Nq", move.moveMmxToXmm, SSE),
  op("f2 0f d6 /r", "movdq2q Pq,Uq", move.moveMmx, SSE),
  op("np 0f c3 /r mem", "movnti My,Gy", mov),
  op("np 0f e7 /r mem", "movntq Mq,Pq", move.moveMmx, MMX),
  op("66 0f e7 /r mem", "movntdq Mx,Vx", move.moveAligned, SSE),
  op("f2 0f f0 /r mem", "lddqu Vx,Mx", move.moveUnaligned, SSE3),
  op("66 0f 38 2a /r mem", "movntdqa Vx,Mx", move.moveAligned, { unit: "sse", feature: "SSE4.1" }),
  // `repeat` makes the decoder put address size and segment of the implied operand DS:[rDI] into the immediate.
  op("np 0f f7 /r", "maskmovq Pq,Nq", move.maskedStoreMmx, { unit: "mmx", repeat: true }),
  op("66 0f f7 /r", "maskmovdqu Vx,Ux", move.maskedStore, { unit: "sse", repeat: true }),
];
