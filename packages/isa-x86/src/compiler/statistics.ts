// SPDX-License-Identifier: Apache-2.0
/** What the translator has done since the machine was made. */
export interface TranslatorStatistics {
  /** Regions compiled, and what is in them: an instruction that is in two regions counts twice. */
  regions: number;
  blocks: number;
  records: number;
  modules: number;
  wasmBytes: number;
  /** Regions among them that take in all that they call. */
  promoted: number;
  /** Regions among them whose code has been kept from an earlier run. */
  reused: number;
  /** Regions dropped because their code was written. */
  invalidated: number;
  /** Regions dropped to make room. */
  evicted: number;
  /** Regions in the cache now. */
  live: number;
  /** Slots of the function table that regions have ever had. */
  slots: number;
}

export function emptyStatistics(): TranslatorStatistics {
  const dropped = { invalidated: 0, evicted: 0 };
  return {
    regions: 0,
    blocks: 0,
    records: 0,
    modules: 0,
    wasmBytes: 0,
    promoted: 0,
    reused: 0,
    ...dropped,
    live: 0,
    slots: 0,
  };
}
