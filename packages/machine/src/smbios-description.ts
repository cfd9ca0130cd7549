// SPDX-License-Identifier: Apache-2.0
import type { CacheConfig, SmbiosConfig } from "@isola/firmware";
import { type CpuidContext, cpuidLeaf } from "@isola/isa-x86";
import { LOW_RAM_LIMIT } from "@isola/memory";
import { TSC_HZ } from "./machine-clock.js";
import { type MachineConfig, parseUuid } from "./config.js";

const PRODUCTS = { microvm: "microvm", pc: "PC (440FX)" } as const;
const CACHE_KINDS = [null, "data", "instruction", "unified"] as const;
const MAX_CACHES = 4;

/** The caches that leaf 4 of CPUID describes. */
function cachesOf(context: CpuidContext): CacheConfig[] {
  const caches: CacheConfig[] = [];
  for (let i = 0; i < MAX_CACHES; i++) {
    const [eax, ebx, sets] = cpuidLeaf(4, i, context);
    const kind = CACHE_KINDS[eax & 0x1f] ?? null;
    if (kind === null) break;
    const ways = (ebx >>> 22) + 1;
    const line = (ebx & 0xfff) + 1;
    caches.push({ level: (eax >> 5) & 7, kind, kibibytes: (ways * line * (sets + 1)) >> 10, ways: ways > 8 ? 16 : 8 });
  }
  return caches;
}

function brandOf(context: CpuidContext): string {
  const words = [2, 3, 4].flatMap((i) => [...cpuidLeaf(0x8000_0000 + i, 0, context)]);
  const bytes = words.flatMap((word) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24]);
  return String.fromCharCode(...bytes.filter((byte) => byte !== 0));
}

/** What the SMBIOS structures of a machine say: the same as its other tables and its processor. */
export function smbiosDescription({ preset, name, uuid, cpus, memory }: MachineConfig): SmbiosConfig {
  const time = { frequency: TSC_HZ, apicTimerFrequency: TSC_HZ };
  const context: CpuidContext = { apicId: 0, cpuCount: cpus, apicEnabled: true, cr4: 0n, xcr0: 1n, time };
  const [signature, , , features] = cpuidLeaf(1, 0, context);
  const low = Math.min(memory, LOW_RAM_LIMIT);
  return {
    product: PRODUCTS[preset],
    name,
    uuid: uuid === null ? null : parseUuid(uuid),
    cpus,
    processor: { signature, features, brand: brandOf(context) },
    megahertz: TSC_HZ / 1e6,
    caches: cachesOf(context),
    memory: { low, high: memory - low },
    describeFirmware: preset === "microvm",
  };
}
