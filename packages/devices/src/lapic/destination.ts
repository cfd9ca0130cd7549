// SPDX-License-Identifier: Apache-2.0

/** How one local APIC is addressed. `ldr` and `dfr` matter in xAPIC mode only; x2APIC derives the logical ID. */
export interface ApicAddress {
  /** The 32-bit APIC ID. */
  readonly id: number;
  readonly x2apic: boolean;
  readonly ldr: number;
  readonly dfr: number;
}

/** Logical ID in x2APIC mode: cluster in the upper half, one bit in the lower (SDM 3A "Logical x2APIC ID"). */
export function x2apicLogicalId(id: number): number {
  return (((id >>> 4) << 16) | (1 << (id & 15))) >>> 0;
}

/**
 * Whether a message for `destination` is for this APIC. `wide` tells that the sender gave a 32-bit destination (an
 * x2APIC's ICR), else it is 8 bits (xAPIC ICR, I/O APIC, MSI). All ones is a broadcast in either width.
 */
export function matchesDestination(apic: ApicAddress, destination: number, logical: boolean, wide: boolean): boolean {
  if (destination === (wide ? 0xffff_ffff : 0xff)) return true;
  if (!logical) return apic.x2apic ? apic.id === destination : (apic.id & 0xff) === destination;
  if (apic.x2apic) {
    const own = x2apicLogicalId(apic.id);
    return own >>> 16 === destination >>> 16 && (own & destination & 0xffff) !== 0;
  }
  if (destination > 0xff) return false;
  const own = apic.ldr >>> 24;
  // Flat model: one bit for each APIC. Cluster model: four bits of cluster number, four of members.
  if (apic.dfr >>> 28 === 0xf) return (own & destination) !== 0;
  return own >>> 4 === destination >>> 4 && (own & destination & 0xf) !== 0;
}
