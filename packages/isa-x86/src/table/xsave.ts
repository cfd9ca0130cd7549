// SPDX-License-Identifier: Apache-2.0
// The XSAVE feature set. My: REX.W asks for 64-bit pointers of the x87 state.
import { restoreState, SaveKind, saveState, xgetbv, xsetbv } from "../semantics/xsave.js";
import { type Opcode, op } from "./opcode.js";

const XSAVE = { feature: "XSAVE" } as const;

export const xsaveOpcodes: readonly Opcode[] = [
  op("np 0f 01 d0 modrm", "xgetbv", xgetbv, XSAVE),
  op("np 0f 01 d1 modrm", "xsetbv", xsetbv, { ...XSAVE, ends: true }),
  op("np 0f ae /4 mem", "xsave My", saveState(SaveKind.Xsave), XSAVE),
  op("np 0f ae /5 mem", "xrstor My", restoreState, XSAVE),
  op("np 0f ae /6 mem", "xsaveopt My", saveState(SaveKind.Xsaveopt), { feature: "XSAVEOPT" }),
  op("np 0f c7 /4 mem", "xsavec My", saveState(SaveKind.Xsavec), { feature: "XSAVEC" }),
];
