// SPDX-License-Identifier: Apache-2.0
import type { NetFrame } from "@isola/ports";
import type { CardParts } from "../network-card.js";
import { acceptance } from "./filter.js";
import {
  Cause,
  Command,
  CRC_SIZE,
  Descriptor,
  DESCRIPTOR_BYTES,
  FrameStatus,
  MAX_RECEIVED,
  MIN_FRAME,
  PADDED_FRAME,
  PlusCommand,
  ReceiveConfig,
  Reg,
  RING_DESCRIPTORS,
  RING_SLACK,
  RING_UNIT,
  TAG_TAKEN,
} from "./registers.js";
import { addressAt, dwordAt, type Rtl8139State, wordAt } from "./state.js";

const HEADER = 4;
const VLAN_AT = 12;
const VLAN_TAG = 4;
const VLAN_TYPE = 0x8100;

/** Bytes of the receive ring of C mode, without those behind its end. */
export function ringSize(state: Rtl8139State): number {
  return RING_UNIT << ((dwordAt(state, Reg.ReceiveConfig) >> ReceiveConfig.LengthShift) & 3);
}

/** Bytes between the driver and the card: zero while the ring is empty. The read pointer is 16 behind. */
export function ringFilled(state: Rtl8139State): number {
  const size = ringSize(state);
  return (state.writePointer - wordAt(state, Reg.ReadPointer) - RING_SLACK + 2 * 0x1_0000) % size;
}

/** Puts frames into the receive ring (C mode) or the buffers of descriptors (C+ mode). */
export class Receiver {
  private causes = 0;

  constructor(private readonly card: CardParts<Rtl8139State>) {}

  /** Causes for an interrupt since the last call. */
  takeCauses(): number {
    const { causes } = this;
    this.causes = 0;
    return causes;
  }

  /** False if the driver has given too few buffers. */
  receive({ bytes }: NetFrame): boolean {
    const { card } = this;
    const s = card.state();
    if ((s.command & Command.ReceiveEnable) === 0 || !card.mayMaster()) return true;
    if (bytes.length < MIN_FRAME) return true;
    const kind = acceptance(s, bytes);
    if (kind === 0) return true;
    if (bytes.length > MAX_RECEIVED - CRC_SIZE) {
      card.counts.dropped++;
      return true;
    }
    const plus = (s.plusCommand & PlusCommand.Receive) !== 0;
    const taken = plus ? this.intoDescriptor(s, bytes, kind) : this.intoRing(s, bytes, kind);
    if (!taken) {
      card.counts.starved++;
      s.waiting = true;
      return false;
    }
    this.causes |= Cause.ReceiveOk;
    card.counts.framesIn++;
    card.counts.bytesIn += bytes.length;
    return true;
  }

  private intoRing(s: Rtl8139State, bytes: Uint8Array, kind: number): boolean {
    const size = ringSize(s);
    const length = Math.max(bytes.length, PADDED_FRAME) + CRC_SIZE;
    const room = size - ringFilled(s);
    const needed = (HEADER + length + 3) & ~3;
    // A ring that is full to the last byte would look empty.
    if (needed >= room) return false;
    const whole = new Uint8Array(HEADER + length);
    whole.set([kind & 0xff, kind >> 8, length & 0xff, length >> 8]);
    whole.set(bytes, HEADER);
    const base = dwordAt(s, Reg.ReceiveBuffer);
    const beforeEnd = Math.min(whole.length, size - s.writePointer);
    // The largest ring cannot be run over (data sheet, RCR bit 7).
    const mayRunOver = (dwordAt(s, Reg.ReceiveConfig) & ReceiveConfig.NoWrap) !== 0 && size < 0x1_0000;
    if (mayRunOver) this.card.ram.write(base + s.writePointer, whole);
    else {
      this.card.ram.write(base + s.writePointer, whole.subarray(0, beforeEnd));
      this.card.ram.write(base, whole.subarray(beforeEnd));
    }
    s.writePointer = (s.writePointer + needed) % size;
    return true;
  }

  private intoDescriptor(s: Rtl8139State, bytes: Uint8Array, kind: number): boolean {
    const { ram, counts } = this.card;
    const at = addressAt(s, Reg.ReceiveRing, 256) + s.receiveIndex * DESCRIPTOR_BYTES;
    const command = ram.u32(at);
    if ((command & Descriptor.Own) === 0) {
      this.causes |= Cause.ReceiveOverflow;
      return false;
    }
    const { data, tag } = stripped(s, bytes);
    const length = Math.max(data.length, PADDED_FRAME) + CRC_SIZE;
    if (length > (command & Descriptor.ReceiveLength)) {
      counts.dropped++;
      return true;
    }
    const whole = new Uint8Array(length);
    whole.set(data);
    ram.write(ram.u32(at + 12) * 2 ** 32 + ram.u32(at + 8), whole);
    ram.setU32(at + 4, tag < 0 ? 0 : TAG_TAKEN | tag);
    const kinds =
      ((kind & FrameStatus.Multicast) === 0 ? 0 : Descriptor.ReceivedMulticast) |
      ((kind & FrameStatus.Own) === 0 ? 0 : Descriptor.ReceivedOwn) |
      ((kind & FrameStatus.Broadcast) === 0 ? 0 : Descriptor.ReceivedBroadcast);
    const endOfRing = command & Descriptor.EndOfRing;
    ram.setU32(at, (endOfRing | Descriptor.First | Descriptor.Last | kinds | length) >>> 0);
    s.receiveIndex = endOfRing !== 0 ? 0 : (s.receiveIndex + 1) % RING_DESCRIPTORS;
    return true;
  }
}

/** Takes the VLAN tag off if the driver wants it beside the frame, in the order of its bytes; `tag` is -1 if there is none. */
function stripped(s: Rtl8139State, bytes: Uint8Array): { readonly data: Uint8Array; readonly tag: number } {
  const type = (bytes[VLAN_AT] << 8) | bytes[VLAN_AT + 1];
  if ((s.plusCommand & PlusCommand.StripVlan) === 0 || type !== VLAN_TYPE || bytes.length < MIN_FRAME + VLAN_TAG)
    return { data: bytes, tag: -1 };
  const data = new Uint8Array(bytes.length - VLAN_TAG);
  data.set(bytes.subarray(0, VLAN_AT));
  data.set(bytes.subarray(VLAN_AT + VLAN_TAG), VLAN_AT);
  return { data, tag: bytes[VLAN_AT + 2] | (bytes[VLAN_AT + 3] << 8) };
}
