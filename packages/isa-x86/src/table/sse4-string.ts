// SPDX-License-Identifier: Apache-2.0
// String comparisons of SSE4.2. Forms with REX.W take lengths from all 64 bits of RAX and RDX.
import * as string from "../semantics/sse-string.js";
import { type Opcode, op } from "./opcode.js";

const SSE42 = { unit: "sse", feature: "SSE4.2" } as const;

export const sseString: readonly Opcode[] = [
  op("66 w1 0f 3a 60 /r", "pcmpestrm Vx,Wx,Lb", string.pcmpestrm, SSE42),
  op("66 0f 3a 60 /r", "pcmpestrm Vx,Wx,Lb", string.pcmpestrm, SSE42),
  op("66 w1 0f 3a 61 /r", "pcmpestri Vx,Wx,Lb", string.pcmpestri, SSE42),
  op("66 0f 3a 61 /r", "pcmpestri Vx,Wx,Lb", string.pcmpestri, SSE42),
  op("66 0f 3a 62 /r", "pcmpistrm Vx,Wx,Lb", string.pcmpistrm, SSE42),
  op("66 0f 3a 63 /r", "pcmpistri Vx,Wx,Lb", string.pcmpistri, SSE42),
];
