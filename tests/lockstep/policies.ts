// SPDX-License-Identifier: Apache-2.0
import { type Translation, TRANSLATION_POLICIES, type TranslationPolicy } from "@isola/isa-x86";

/** A way to execute guest code. */
export interface LockstepPolicy {
  readonly name: string;
  readonly translation: Translation | TranslationPolicy;
  /** The program has been executed once before, and what was compiled then is kept. */
  readonly kept?: true;
}

/** What every program is executed by, beside the interpreter. */
export const POLICIES: readonly LockstepPolicy[] = [
  { name: "early", translation: "early" },
  { name: "at-once", translation: "at-once" },
  // Modules that are ready at any time later, and so few regions that the older ones must go.
  { name: "background", translation: { ...TRANSLATION_POLICIES.early, background: true, maxBytes: 16_000 } },
  { name: "kept", translation: "early", kept: true },
];
