// SPDX-License-Identifier: Apache-2.0

/** An IP address as it is in packets: 4 or 16 bytes. */
export type IpAddress = Uint8Array;

function parseV4(text: string): IpAddress | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[i] = Number(part);
  }
  return bytes;
}

/** Groups of a piece of an IPv6 address; at the very end of it there may be an IPv4 address. */
function groupsOf(piece: string, isEnd: boolean): number[] | null {
  if (piece === "") return [];
  const groups: number[] = [];
  const words = piece.split(":");
  for (const [i, word] of words.entries()) {
    const v4 = isEnd && i === words.length - 1 && word.includes(".") ? parseV4(word) : null;
    if (v4 !== null) groups.push((v4[0] << 8) | v4[1], (v4[2] << 8) | v4[3]);
    else if (/^[0-9a-f]{1,4}$/i.test(word)) groups.push(Number.parseInt(word, 16));
    else return null;
  }
  return groups;
}

/** Reads "192.0.2.1" or "2001:db8::1" (RFC 4291, 2.2), without a zone; null if it is neither. */
export function parseIp(text: string): IpAddress | null {
  if (!text.includes(":")) return parseV4(text);
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === null || tail === null) return null;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null;
  const bytes = new Uint8Array(16);
  [...head, ...new Array<number>(gap).fill(0), ...tail].forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group;
  });
  return bytes;
}

/** As {@link parseIp} for a constant of this program. */
export function ip(text: string): IpAddress {
  return parseIp(text) ?? new Uint8Array(4);
}

/** Text of an address; IPv6 as RFC 5952 wants it. */
export function formatIp(address: IpAddress): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i] << 8) | address[2 * i + 1]);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (best < 0) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

const MAPPED_PREFIX = ip("::ffff:0:0").subarray(0, 12);

/** The IPv4 address inside an IPv4-mapped IPv6 one (RFC 4291, 2.5.5.2), or the address itself. */
export function unmapped(address: IpAddress): IpAddress {
  if (address.length !== 16) return address;
  return MAPPED_PREFIX.every((byte, i) => address[i] === byte) ? address.subarray(12) : address;
}

/** A range of addresses that begin with the same bits. */
export interface Cidr {
  readonly address: IpAddress;
  readonly bits: number;
}

/** Reads "10.0.0.0/8", "2001:db8::/32" or a single address; null if it is none. Bits behind the prefix do not matter. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const length = slash < 0 ? String(address.length * 8) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || Number(length) > address.length * 8) return null;
  return { address, bits: Number(length) };
}

export function cidr(text: string): Cidr {
  return parseCidr(text) ?? { address: new Uint8Array(4), bits: 0 };
}

export function contains({ address, bits }: Cidr, other: IpAddress): boolean {
  if (address.length !== other.length) return false;
  for (let i = 0, left = bits; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : 0xff & (0xff << (8 - left));
    if (((address[i] ^ other[i]) & mask) !== 0) return false;
  }
  return true;
}
