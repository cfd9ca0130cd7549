// SPDX-License-Identifier: Apache-2.0
/** Ethernet II frames (IEEE 802.3) and VLAN tags (IEEE 802.1Q). */

export const enum EtherType {
  Ipv4 = 0x0800,
  Arp = 0x0806,
  Vlan = 0x8100,
  Ipv6 = 0x86dd,
}

export const ETHERNET_HEADER = 14;
export const MAC_SIZE = 6;
/** Offsets of the fields. */
export const enum Ethernet {
  Destination = 0,
  Source = 6,
  Type = 12,
}
export const BROADCAST: Uint8Array = new Uint8Array(MAC_SIZE).fill(0xff);

/** A MAC address as six hexadecimal pairs. */
export function formatMac(mac: ArrayLike<number>): string {
  return Array.from({ length: MAC_SIZE }, (_, i) => (mac[i] ?? 0).toString(16).padStart(2, "0")).join(":");
}
