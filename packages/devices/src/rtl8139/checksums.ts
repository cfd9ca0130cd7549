// SPDX-License-Identifier: Apache-2.0
import type { NetFrame } from "@isola/ports";
import { Descriptor, MIN_FRAME } from "./registers.js";

const VLAN_TYPE = 0x8100;
const VLAN_TAG = 4;
const IPV4_TYPE = 0x0800;
const IPV4_MIN_HEADER = 20;
const FRAGMENT = 0x3fff;
const TCP = 6;
const UDP = 17;
const IP_LENGTH = 2;
const IP_FLAGS = 6;
const IP_PROTOCOL = 9;
const IP_CHECKSUM = 10;
const IP_SOURCE = 12;
const TCP_CHECKSUM = 16;
const TCP_MIN_HEADER = 20;
const TCP_OFFSET = 12;
const UDP_CHECKSUM = 6;
const UDP_HEADER = 8;

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

function put(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

function sum(bytes: Uint8Array, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < to; at += 2) total += (bytes[at] << 8) | (at + 1 < to ? bytes[at + 1] : 0);
  return total;
}

function folded(total: number): number {
  let value = total;
  while (value > 0xffff) value = (value & 0xffff) + Math.floor(value / 0x1_0000);
  return value;
}

/**
 * Does to a frame what the first dword of its descriptors asks for, and says what is left to the network. Frames that are
 * not IPv4, or that lie about their lengths, go as they are.
 */
export function finishFrame(bytes: Uint8Array, command: number): NetFrame {
  const plain: NetFrame = { bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 };
  const large = (command & Descriptor.LargeSend) !== 0;
  const wanted = command & (Descriptor.IpChecksum | Descriptor.TcpChecksum | Descriptor.UdpChecksum);
  if (!large && wanted === 0) return plain;
  const ip = word(bytes, MIN_FRAME - 2) === VLAN_TYPE ? MIN_FRAME + VLAN_TAG : MIN_FRAME;
  if (bytes.length < ip + IPV4_MIN_HEADER || word(bytes, ip - 2) !== IPV4_TYPE || bytes[ip] >> 4 !== 4) return plain;
  const transport = ip + (bytes[ip] & 15) * 4;
  if (transport < ip + IPV4_MIN_HEADER || transport > bytes.length) return plain;
  const end = large ? bytes.length : Math.min(ip + word(bytes, ip + IP_LENGTH), bytes.length);
  if (large) put(bytes, ip + IP_LENGTH, Math.min(bytes.length - ip, 0xffff));
  if (large || (command & Descriptor.IpChecksum) !== 0) {
    put(bytes, ip + IP_CHECKSUM, 0);
    put(bytes, ip + IP_CHECKSUM, ~folded(sum(bytes, ip, transport)) & 0xffff);
  }
  const protocol = bytes[ip + IP_PROTOCOL];
  const isTcp = protocol === TCP && (large || (command & Descriptor.TcpChecksum) !== 0);
  const isUdp = protocol === UDP && !large && (command & Descriptor.UdpChecksum) !== 0;
  const header = isTcp ? TCP_MIN_HEADER : UDP_HEADER;
  if ((!isTcp && !isUdp) || (word(bytes, ip + IP_FLAGS) & FRAGMENT) !== 0 || transport + header > end) return plain;
  const field = isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
  const pseudo = folded(sum(bytes, ip + IP_SOURCE, ip + IPV4_MIN_HEADER) + protocol + end - transport);
  if (large) {
    const size = (command >>> Descriptor.SegmentShift) & Descriptor.SegmentMask;
    const headers = transport + (bytes[transport + TCP_OFFSET] >> 4) * 4;
    put(bytes, transport + field, pseudo);
    if (size === 0 || headers < transport + TCP_MIN_HEADER || headers > bytes.length) return plain;
    const segmentSize = bytes.length > headers + size ? size : 0;
    return { bytes, checksumStart: transport, checksumOffset: field, segmentSize };
  }
  put(bytes, transport + field, 0);
  const total = ~folded(pseudo + sum(bytes, transport, end)) & 0xffff;
  // Zero would mean that there is no checksum (RFC 768).
  put(bytes, transport + field, isUdp && total === 0 ? 0xffff : total);
  return plain;
}
