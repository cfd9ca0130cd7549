// SPDX-License-Identifier: Apache-2.0
/** Mnemonic suffixes of the sixteen conditions by number (SDM 1, appendix B). */
export const CONDITIONS = [
  "o",
  "no",
  "b",
  "ae",
  "e",
  "ne",
  "be",
  "a",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "ge",
  "le",
  "g",
] as const;
