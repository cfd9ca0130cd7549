// SPDX-License-Identifier: Apache-2.0
import { equal, get16, put16 } from "../frame/bytes.js";
import { BROADCAST, Ethernet, ETHERNET_HEADER, EtherType, MAC_SIZE } from "../frame/ethernet.js";
import type { IpAddress } from "../ip/address.js";

/** Offsets in an ARP packet for IPv4 over Ethernet (RFC 826). */
const enum Arp {
  HardwareType = 0,
  ProtocolType = 2,
  Lengths = 4,
  Operation = 6,
  SenderMac = 8,
  SenderIp = 14,
  TargetMac = 18,
  TargetIp = 24,
  Size = 28,
}
const REQUEST = 1;
const REPLY = 2;
const ETHERNET = 1;
const LENGTHS = 0x0604;

export interface ArpPacket {
  readonly request: boolean;
  readonly senderMac: Uint8Array;
  readonly senderIp: IpAddress;
  readonly targetIp: IpAddress;
}

/** Reads an ARP packet in a frame; null if it is not one for IPv4 over Ethernet. */
export function parseArp(frame: Uint8Array): ArpPacket | null {
  const at = ETHERNET_HEADER;
  if (frame.length < at + Arp.Size) return null;
  if (get16(frame, at + Arp.HardwareType) !== ETHERNET || get16(frame, at + Arp.ProtocolType) !== EtherType.Ipv4)
    return null;
  if (get16(frame, at + Arp.Lengths) !== LENGTHS) return null;
  const operation = get16(frame, at + Arp.Operation);
  if (operation !== REQUEST && operation !== REPLY) return null;
  return {
    request: operation === REQUEST,
    senderMac: frame.subarray(at + Arp.SenderMac, at + Arp.SenderMac + MAC_SIZE),
    senderIp: frame.subarray(at + Arp.SenderIp, at + Arp.SenderIp + 4),
    targetIp: frame.subarray(at + Arp.TargetIp, at + Arp.TargetIp + 4),
  };
}

function arpFrame(operation: number, mac: Uint8Array, ip: IpAddress, toMac: Uint8Array, toIp: IpAddress): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + Arp.Size);
  frame.set(toMac, Ethernet.Destination);
  frame.set(mac, Ethernet.Source);
  put16(frame, Ethernet.Type, EtherType.Arp);
  const at = ETHERNET_HEADER;
  put16(frame, at + Arp.HardwareType, ETHERNET);
  put16(frame, at + Arp.ProtocolType, EtherType.Ipv4);
  put16(frame, at + Arp.Lengths, LENGTHS);
  put16(frame, at + Arp.Operation, operation);
  frame.set(mac, at + Arp.SenderMac);
  frame.set(ip, at + Arp.SenderIp);
  if (!equal(toMac, BROADCAST)) frame.set(toMac, at + Arp.TargetMac);
  frame.set(toIp, at + Arp.TargetIp);
  return frame;
}

/** Says that `ip` is at `mac`, to whoever asked. */
export function arpReply(mac: Uint8Array, ip: IpAddress, { senderMac, senderIp }: ArpPacket): Uint8Array {
  return arpFrame(REPLY, mac, ip, senderMac, senderIp);
}

/** Asks everybody who has `wanted`. */
export function arpRequest(mac: Uint8Array, ip: IpAddress, wanted: IpAddress): Uint8Array {
  return arpFrame(REQUEST, mac, ip, BROADCAST, wanted);
}
