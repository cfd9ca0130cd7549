// SPDX-License-Identifier: Apache-2.0
// The VEX forms of SSE instructions, made from the lines of the SSE tables: the semantics are the same functions.
import type { Attributes, Encoding, Opcode } from "./opcode.js";

/**
 * How an SSE line becomes VEX lines.
 * - `sources`: the first source moves from the destination to VEX.vvvv: `addps Vx,Wx` becomes `vaddps Vx,Hx,Wx`
 * - `lengths`: VEX.L that exist; "lig": it is ignored
 */
interface Rule {
  readonly sources?: true;
  readonly lengths: readonly (128 | 256 | "lig")[];
  readonly names: string;
}

const BOTH = [128, 256] as const;

const RULES: readonly Rule[] = [
  {
    sources: true,
    lengths: BOTH,
    names: `addps addpd mulps mulpd subps subpd minps minpd divps divpd maxps maxpd haddpd haddps hsubpd hsubps addsubpd
      addsubps andps andpd andnps andnpd orps orpd xorps xorpd unpcklps unpcklpd unpckhps unpckhpd cmpps cmppd dpps shufps
      shufpd blendps blendpd
      punpcklbw punpcklwd punpckldq punpckhbw punpckhwd punpckhdq punpcklqdq punpckhqdq packsswb packuswb packssdw packusdw
      pcmpgtb pcmpgtw pcmpgtd pcmpgtq pcmpeqb pcmpeqw pcmpeqd pcmpeqq paddb paddw paddd paddq psubb psubw psubd psubq
      paddsb paddsw paddusb paddusw psubsb psubsw psubusb psubusw pminub pminsw pmaxub pmaxsw pminsb pminsd pminuw pminud
      pmaxsb pmaxsd pmaxuw pmaxud pand pandn por pxor pavgb pavgw pmullw pmulhw pmulhuw pmuludq pmuldq pmulld pmaddwd
      psadbw pmulhrsw pmaddubsw pshufb phaddw phaddd phaddsw phsubw phsubd phsubsw psignb psignw psignd palignr pblendw
      mpsadbw psrlw psrld psrlq psraw psrad psllw pslld psllq psrldq pslldq
      aesenc aesenclast aesdec aesdeclast pclmulqdq`,
  },
  {
    sources: true,
    lengths: [128],
    names: `movhlps movlhps movlps movlpd movhps movhpd dppd insertps pinsrb pinsrw pinsrd pinsrq`,
  },
  {
    sources: true,
    lengths: ["lig"],
    names: `addss addsd mulss mulsd subss subsd minss minsd divss divsd maxss maxsd sqrtss sqrtsd rsqrtss rcpss cmpss cmpsd
      cvtsi2ss cvtsi2sd cvtss2sd cvtsd2ss roundss roundsd`,
  },
  {
    lengths: BOTH,
    names: `movups movupd movaps movapd movdqa movdqu lddqu movntps movntpd movntdq movntdqa movsldup movshdup movddup
      sqrtps sqrtpd rsqrtps rcpps ptest roundps roundpd cvtps2pd cvtpd2ps cvtdq2ps cvtps2dq cvttps2dq cvttpd2dq cvtdq2pd
      cvtpd2dq pshufd pshufhw pshuflw pabsb pabsw pabsd pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw
      pmovzxbd pmovzxbq pmovzxwd pmovzxwq pmovzxdq movmskps movmskpd pmovmskb`,
  },
  {
    lengths: [128],
    names: `movd movq phminposuw aesimc aeskeygenassist pextrb pextrw pextrd pextrq extractps pcmpestrm pcmpestri pcmpistrm
      pcmpistri ldmxcsr stmxcsr maskmovdqu`,
  },
  { lengths: ["lig"], names: "ucomiss ucomisd comiss comisd cvttss2si cvttsd2si cvtss2si cvtsd2si" },
];

/** Operands of 256-bit forms whose sizes do not simply double. */
const WIDE_OPERANDS: { readonly [name: string]: string } = {
  cvtps2pd: "Vx,Wdq",
  cvtpd2ps: "Vdq,Wx",
  cvtdq2pd: "Vx,Wdq",
  cvtpd2dq: "Vdq,Wx",
  cvttpd2dq: "Vdq,Wx",
  movddup: "Vx,Wx",
  ...extensions("Wdq", "bw", "wd", "dq"),
  ...extensions("Wq", "bd", "wq"),
  ...extensions("Wd", "bq"),
  ...Object.fromEntries(
    ["psrlw", "psrld", "psrlq", "psraw", "psrad", "psllw", "pslld", "psllq"].map((name) => [name, "Vx,Wdq"]),
  ),
};

function extensions(source: string, ...suffixes: readonly string[]): { [name: string]: string } {
  const names = suffixes.flatMap((suffix) => [`pmovsx${suffix}`, `pmovzx${suffix}`]);
  return Object.fromEntries(names.map((name) => [name, `Vx,${source}`]));
}

/** Integer vectors of 256 bits came with AVX2, those of AES and PCLMULQDQ later. */
function featureOf(name: string, length: 128 | 256 | "lig"): string {
  if (length === 256 && name.startsWith("aes")) return "VAES";
  if (length === 256 && name === "pclmulqdq") return "VPCLMULQDQ";
  return length === 256 && /^(p(?!test)|mpsadbw|movntdqa)/.test(name) ? "AVX2" : "AVX";
}

/** The operands with the first source behind the destination. Shifts by an immediate have the destination in vvvv. */
function withSource([dst, ...rest]: readonly string[]): string[] {
  if (dst === undefined || !"VU".includes(dst[0] ?? "-")) return dst === undefined ? [] : [dst, ...rest];
  const source = `H${dst.slice(1)}`;
  return dst[0] === "U" ? [source, dst, ...rest] : [dst, source, ...rest];
}

function vexLine(line: Opcode, { sources }: Rule, length: 128 | 256 | "lig"): Opcode {
  const { unit: _unit, feature: _feature, ...others } = line.attributes;
  const attributes: Attributes = {
    ...others,
    unit: "avx",
    feature: featureOf(line.name, length),
    // Outside 64-bit mode VEX.W of these means nothing: the line without it follows.
    ...(line.encoding.rexW === 1 && { only: "64" }),
  };
  const encoding: Encoding = { ...line.encoding, vex: length };
  const wide = length === 256 && line.operands[0]?.[0] === "V" ? WIDE_OPERANDS[line.name] : undefined;
  const operands = wide?.split(",") ?? line.operands;
  return {
    ...line,
    encoding,
    name: `v${line.name}`,
    operands: sources === true ? withSource(operands) : operands,
    attributes,
  };
}

/** VEX lines for those of `lines` that have VEX forms. */
export function vexForms(lines: readonly Opcode[]): Opcode[] {
  const rules = new Map(RULES.flatMap((rule) => rule.names.split(/\s+/).map((name) => [name, rule] as const)));
  return lines
    .filter((line) => line.attributes.unit === "sse")
    .flatMap((line) => {
      const rule = rules.get(line.name);
      return rule === undefined ? [] : rule.lengths.map((length) => vexLine(line, rule, length));
    });
}
