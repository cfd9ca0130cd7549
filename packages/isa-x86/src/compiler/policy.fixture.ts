// SPDX-License-Identifier: Apache-2.0
import { COMPILE_AT_ONCE, DEFAULT_POLICY, INTERPRET_ONLY, type TranslationPolicy } from "./translator.js";

const POLICIES: Readonly<Record<string, TranslationPolicy>> = {
  "": DEFAULT_POLICY,
  off: INTERPRET_ONLY,
  "at-once": COMPILE_AT_ONCE,
  early: { ...DEFAULT_POLICY, threshold: 3, minimumHeat: 1 },
};

/** How tests translate: the suites run again with ISOLA_TRANSLATION=at-once, which leaves nothing to the interpreter. */
export function testPolicy(): TranslationPolicy {
  const name = process.env["ISOLA_TRANSLATION"] ?? "";
  const policy = POLICIES[name];
  if (policy === undefined) throw new Error(`ISOLA_TRANSLATION=${name}: off, at-once or early`);
  return policy;
}
