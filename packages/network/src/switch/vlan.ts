// SPDX-License-Identifier: Apache-2.0
import type { NetFrame } from "@isola/ports";
import { get16, put16 } from "../frame/bytes.js";
import { Ethernet, ETHERNET_HEADER, EtherType } from "../frame/ethernet.js";
import { VLAN_TAG } from "../frame/offload.js";

/** Networks that a port of a switch belongs to (IEEE 802.1Q). Ids are 1 to 4094. */
export type PortVlans =
  /** Frames are untagged, and all of one network. */
  | { readonly kind: "access"; readonly vlan: number }
  /** Frames carry tags. Untagged ones are of the network `native`, or dropped. */
  | { readonly kind: "trunk"; readonly vlans: ReadonlySet<number> | "all"; readonly native: number | null };

const ID_MASK = 0x0fff;
const MAX_VLAN = 4094;

/** A frame without a tag, and the network that it is of. */
export interface VlanFrame {
  readonly vlan: number;
  readonly frame: NetFrame;
}

function moved(frame: NetFrame, bytes: Uint8Array, by: number): NetFrame {
  const { checksumStart, checksumOffset, segmentSize } = frame;
  return { bytes, checksumStart: checksumStart < 0 ? -1 : checksumStart + by, checksumOffset, segmentSize };
}

function belongs(port: PortVlans, vlan: number): boolean {
  if (port.kind === "access") return port.vlan === vlan;
  return port.native === vlan || port.vlans === "all" || port.vlans.has(vlan);
}

/** Takes the tag off a frame that came in by `port`; null if the frame may not come in there. */
export function untagged(port: PortVlans, frame: NetFrame): VlanFrame | null {
  const { bytes } = frame;
  const own = port.kind === "access" ? port.vlan : port.native;
  if (get16(bytes, Ethernet.Type) !== EtherType.Vlan) return own === null ? null : { vlan: own, frame };
  if (bytes.length < ETHERNET_HEADER + VLAN_TAG) return null;
  const id = get16(bytes, ETHERNET_HEADER) & ID_MASK;
  // Id 0 is a priority without a network (IEEE 802.1Q, 9.6).
  const vlan = id === 0 ? own : port.kind === "trunk" && id <= MAX_VLAN ? id : null;
  if (vlan === null || !belongs(port, vlan)) return null;
  const plain = new Uint8Array(bytes.length - VLAN_TAG);
  plain.set(bytes.subarray(0, Ethernet.Type));
  plain.set(bytes.subarray(Ethernet.Type + VLAN_TAG), Ethernet.Type);
  return { vlan, frame: moved(frame, plain, -VLAN_TAG) };
}

/** The frame as it leaves by `port`; null if that is not of its network. */
export function tagged(port: PortVlans, { vlan, frame }: VlanFrame): NetFrame | null {
  if (!belongs(port, vlan)) return null;
  if (port.kind === "access" || port.native === vlan) return frame;
  const { bytes } = frame;
  const whole = new Uint8Array(bytes.length + VLAN_TAG);
  whole.set(bytes.subarray(0, Ethernet.Type));
  put16(whole, Ethernet.Type, EtherType.Vlan);
  put16(whole, ETHERNET_HEADER, vlan);
  whole.set(bytes.subarray(Ethernet.Type), Ethernet.Type + VLAN_TAG);
  return moved(frame, whole, VLAN_TAG);
}
