// SPDX-License-Identifier: Apache-2.0
// FMA3: the opcode's upper digit tells the order of the operands, the lower one the operation.
import { Fused, fusedPacked, fusedScalar, type Order } from "../semantics/fma.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const FMA: Attributes = { unit: "avx", feature: "FMA" };
const ORDERS: readonly (readonly [row: string, order: Order])[] = [
  ["9", "132"],
  ["a", "213"],
  ["b", "231"],
];

function packed(digit: string, name: string, fused: Fused): Opcode[] {
  return ORDERS.flatMap(([row, order]) =>
    [128, 256].flatMap((length) => {
      const encoding = (w: string): string => `vex.${length} 66 ${w} 0f 38 ${row}${digit} /r`;
      return [
        op(encoding("w0"), `${name}${order}ps Vx,Hx,Wx`, fusedPacked(32, fused, order), FMA),
        op(encoding("w1"), `${name}${order}pd Vx,Hx,Wx`, fusedPacked(64, fused, order), FMA),
      ];
    }),
  );
}

function scalar(digit: string, name: string, fused: Fused): Opcode[] {
  return ORDERS.flatMap(([row, order]) => {
    const encoding = (w: string): string => `vex.lig 66 ${w} 0f 38 ${row}${digit} /r`;
    return [
      op(encoding("w0"), `${name}${order}ss Vd,Hd,Wd`, fusedScalar(32, fused, order), FMA),
      op(encoding("w1"), `${name}${order}sd Vq,Hq,Wq`, fusedScalar(64, fused, order), FMA),
    ];
  });
}

export const fmaOpcodes: readonly Opcode[] = [
  ...packed("6", "vfmaddsub", Fused.AddSubtract),
  ...packed("7", "vfmsubadd", Fused.SubtractAdd),
  ...packed("8", "vfmadd", Fused.Add),
  ...scalar("9", "vfmadd", Fused.Add),
  ...packed("a", "vfmsub", Fused.Subtract),
  ...scalar("b", "vfmsub", Fused.Subtract),
  ...packed("c", "vfnmadd", Fused.NegatedAdd),
  ...scalar("d", "vfnmadd", Fused.NegatedAdd),
  ...packed("e", "vfnmsub", Fused.NegatedSubtract),
  ...scalar("f", "vfnmsub", Fused.NegatedSubtract),
];
