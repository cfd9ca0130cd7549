// SPDX-License-Identifier: Apache-2.0
/** How eager the translator is. */
export interface TranslationPolicy {
  /** Entries of a block by the interpreter after which it is compiled; 0 = never. */
  readonly threshold: number;
  /** Every block is compiled when it is decoded, before it runs for the first time. */
  readonly atOnce?: true;
  /**
   * The interpreter goes on until whole modules have been compiled on another thread. Otherwise the host makes simple code
   * of a region when it is entered first, and good code on another thread when that has proved to be worth it.
   */
  readonly background?: true;
  /** Entries that a block needs to become part of another's region. */
  readonly minimumHeat: number;
  /** Entries of a region after which it is compiled anew together with what it calls; 0 = never. */
  readonly promotion: number;
  /** Bytes of WebAssembly that may be in the cache; when there are more, the older half of all regions is dropped. */
  readonly maxBytes: number;
}

/** A host's own code for a region takes several times as much. */
const MAX_BYTES = 32 << 20;

/** The ways in which guest code may be executed. */
export const TRANSLATION_POLICIES = {
  /** The interpreter begins, and what proves to be hot is compiled. */
  auto: { threshold: 4000, minimumHeat: 800, promotion: 100_000, maxBytes: MAX_BYTES },
  /** The same for hosts whose compiler makes good code only, and makes its thread wait for it. */
  background: { threshold: 8000, minimumHeat: 800, promotion: 100_000, background: true, maxBytes: MAX_BYTES },
  /** The interpreter does everything. */
  off: { threshold: 0, minimumHeat: 0, promotion: 0, maxBytes: MAX_BYTES },
  /** Nothing is interpreted that can be compiled: to test the compiler. */
  "at-once": { threshold: 0, atOnce: true, minimumHeat: 0, promotion: 0, maxBytes: MAX_BYTES },
  /** Like auto with hardly any patience: regions of many blocks for tests that do not run long. */
  early: { threshold: 3, minimumHeat: 1, promotion: 8, maxBytes: MAX_BYTES },
} as const satisfies Readonly<Record<string, TranslationPolicy>>;

export type Translation = keyof typeof TRANSLATION_POLICIES;

export const TRANSLATIONS = Object.keys(TRANSLATION_POLICIES) as readonly Translation[];
