// SPDX-License-Identifier: Apache-2.0
import { formatIp } from "../ip/address.js";
import type { IpPacket } from "../ip/packet.js";

/** Datagrams in pieces that are kept at a time, the size of one, and how long it may take. */
const MAX_DATAGRAMS = 16;
const MAX_SIZE = 65_535;
const MAX_FRAGMENTS = 64;
const PATIENCE = 15e9;

interface Datagram {
  readonly until: number;
  readonly fragments: { readonly offset: number; readonly bytes: Uint8Array }[];
  /** Bytes in all, once the last fragment has come; else -1. */
  total: number;
}

/** Puts fragments together (RFC 791, 3.2; RFC 8200, 4.5). Overlapping ones spoil their datagram (RFC 5722). */
export class Reassembler {
  private readonly datagrams = new Map<string, Datagram>();

  /** Takes a fragment; returns the whole packet if it was the last that was missing. */
  add(packet: IpPacket, now: number): IpPacket | null {
    const { fragment, payload } = packet;
    if (fragment === null) return packet;
    for (const [key, { until }] of this.datagrams) if (until <= now) this.datagrams.delete(key);
    const key = `${formatIp(packet.source)} ${formatIp(packet.destination)} ${packet.protocol} ${fragment.id}`;
    const known = this.datagrams.get(key);
    if (known === undefined && this.datagrams.size >= MAX_DATAGRAMS) {
      const oldest = this.datagrams.keys().next();
      if (oldest.done !== true) this.datagrams.delete(oldest.value);
    }
    const datagram = known ?? { until: now + PATIENCE, fragments: [], total: -1 };
    this.datagrams.set(key, datagram);
    const end = fragment.offset + payload.length;
    const misfit =
      payload.length === 0 ||
      end > MAX_SIZE ||
      (fragment.more && payload.length % 8 !== 0) ||
      datagram.fragments.length >= MAX_FRAGMENTS ||
      datagram.fragments.some(({ offset, bytes }) => fragment.offset < offset + bytes.length && offset < end) ||
      (datagram.total >= 0 && (end > datagram.total || !fragment.more)) ||
      (!fragment.more && datagram.fragments.some(({ offset, bytes }) => offset + bytes.length > end));
    if (misfit) {
      this.datagrams.delete(key);
      return null;
    }
    datagram.fragments.push({ offset: fragment.offset, bytes: payload.slice() });
    if (!fragment.more) datagram.total = end;
    const have = datagram.fragments.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (have !== datagram.total) return null;
    this.datagrams.delete(key);
    const whole = new Uint8Array(datagram.total);
    for (const { offset, bytes } of datagram.fragments) whole.set(bytes, offset);
    return { ...packet, payload: whole, fragment: null };
  }
}
