// SPDX-License-Identifier: Apache-2.0

/** What the SMBIOS structures of a machine say. */
export interface SmbiosConfig {
  /** Name of the kind of machine. */
  readonly product: string;
  /** Name of this machine for people, or null. */
  readonly name: string | null;
  /** Sixteen bytes in the order in which they are printed, or null if the machine has none. */
  readonly uuid: Uint8Array | null;
  readonly cpus: number;
  /** What CPUID says of the processor: leaf 1 EAX and EDX, and the brand string. */
  readonly processor: { readonly signature: number; readonly features: number; readonly brand: string };
  /** Frequency of the time-stamp counter in MHz. */
  readonly megahertz: number;
  /** Caches of the processor from the first level on. */
  readonly caches: readonly CacheConfig[];
  /** RAM below 4 GiB and from there on, in bytes: whole MiB. */
  readonly memory: { readonly low: number; readonly high: number };
  /** Structure 0 describes the firmware; where there is some, it does that itself. */
  readonly describeFirmware: boolean;
}

export interface CacheConfig {
  readonly level: number;
  readonly kind: "instruction" | "data" | "unified";
  readonly kibibytes: number;
  readonly ways: 8 | 16;
}
