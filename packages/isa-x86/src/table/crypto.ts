// SPDX-License-Identifier: Apache-2.0
// AES-NI, PCLMULQDQ and SHA-NI.
import { byHelper, byHelperImmediate, sha1msg1, sha1nexte, sha256rnds2 } from "../semantics/sse-crypto.js";
import { type BinaryLanes, packed, packedImmediate } from "../semantics/sse-operands.js";
import { type Opcode, op } from "./opcode.js";

const AES = { unit: "sse", feature: "AES" } as const;
const SHA = { unit: "sse", feature: "SHA" } as const;

const aes = (code: string, name: string, helper: string): Opcode =>
  op(`66 0f 38 ${code} /r`, `${name} Vx,Wx`, packed(byHelper(helper)), AES);
const sha = (code: string, name: string, lanes: BinaryLanes): Opcode =>
  op(`np 0f 38 ${code} /r`, `${name} Vx,Wx`, packed(lanes), SHA);

export const crypto: readonly Opcode[] = [
  aes("db", "aesimc", "aesInverseMixColumns"),
  aes("dc", "aesenc", "aesEncrypt"),
  aes("dd", "aesenclast", "aesEncryptLast"),
  aes("de", "aesdec", "aesDecrypt"),
  aes("df", "aesdeclast", "aesDecryptLast"),
  op("66 0f 3a df /r", "aeskeygenassist Vx,Wx,Lb", packedImmediate(byHelperImmediate("aesKeygenAssist")), AES),
  op("66 0f 3a 44 /r", "pclmulqdq Vx,Wx,Lb", packedImmediate(byHelperImmediate("carrylessMultiply")), {
    unit: "sse",
    feature: "PCLMULQDQ",
  }),
  sha("c8", "sha1nexte", sha1nexte),
  sha("c9", "sha1msg1", sha1msg1),
  sha("ca", "sha1msg2", byHelper("sha1Message2")),
  sha("cb", "sha256rnds2", sha256rnds2),
  sha("cc", "sha256msg1", byHelper("sha256Message1")),
  sha("cd", "sha256msg2", byHelper("sha256Message2")),
  op("np 0f 3a cc /r", "sha1rnds4 Vx,Wx,Lb", packedImmediate(byHelperImmediate("sha1Rounds")), SHA),
];
