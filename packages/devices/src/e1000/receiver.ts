// SPDX-License-Identifier: Apache-2.0
import type { NetFrame } from "@isola/ports";
import type { CardParts } from "../network-card.js";
import { accepts } from "./filter.js";
import { Cause, Control, CRC_SIZE, DESCRIPTOR_SIZE, MIN_FRAME, Receive, ReceiveStatus, Reg } from "./registers.js";
import type { E1000State } from "./state.js";

const HEADER = 14;
const MAC_BYTES = 12;
const VLAN_TAG = 4;
const SMALL_SIZES = [2048, 1024, 512, 256] as const;
const EXTENSION = 16;

function bufferSize(control: number): number {
  const size = SMALL_SIZES[(control >> Receive.SizeShift) & 3];
  return (control & Receive.SizeExtension) !== 0 && size < 2048 ? size * EXTENSION : size;
}

/** The receive side: puts frames into the buffers of the ring (3.2). */
export class Receiver {
  /** The network has a frame for which there were no buffers. */
  waiting = false;
  private causes = 0;

  constructor(private readonly card: CardParts<E1000State>) {}

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
    const control = s.receiveControl;
    if ((control & Receive.Enable) === 0 || bytes.length < HEADER || !card.mayMaster() || !accepts(s, bytes))
      return true;
    const { data, vlan } = this.stripped(s, bytes);
    const stripCrc = (control & Receive.StripCrc) !== 0;
    const whole = new Uint8Array(Math.max(data.length, MIN_FRAME) + (stripCrc ? 0 : CRC_SIZE));
    whole.set(data);
    const room = bufferSize(control);
    const needed = Math.ceil(whole.length / room);
    const ring = s.receive;
    const size = ring.length / DESCRIPTOR_SIZE;
    if (size === 0 || ring.head >= size || ring.tail >= size || needed >= size) {
      card.counts.dropped++;
      return true;
    }
    const free = (ring.tail - ring.head + size) % size;
    if (free < needed) {
      card.counts.starved++;
      this.waiting = true;
      return false;
    }
    for (let i = 0; i < needed; i++) {
      const piece = whole.subarray(i * room, (i + 1) * room);
      const last = i === needed - 1;
      const at = ring.base[1] * 2 ** 32 + ring.base[0] + ring.head * DESCRIPTOR_SIZE;
      card.ram.write(card.ram.u32(at + 4) * 2 ** 32 + card.ram.u32(at), piece);
      const tag = vlan >= 0 && last ? ReceiveStatus.Vlan : 0;
      const status = ReceiveStatus.Done | ReceiveStatus.IgnoreChecksum | (last ? ReceiveStatus.EndOfPacket : 0) | tag;
      card.ram.setU32(at + 8, piece.length);
      card.ram.setU32(at + 12, (status | (Math.max(0, vlan) << 16)) >>> 0);
      ring.head = (ring.head + 1) % size;
    }
    card.counts.framesIn++;
    card.counts.bytesIn += bytes.length;
    this.causes |= Cause.ReceiveTimer;
    // A half, a quarter or an eighth of the ring is left (13.4.22).
    if (free - needed <= size >> (1 + ((control >> Receive.ThresholdShift) & 3))) this.causes |= Cause.ReceiveLow;
    return true;
  }

  /** Takes the VLAN tag off if the driver wants it beside the frame; `vlan` is -1 if there is none. */
  private stripped(s: E1000State, bytes: Uint8Array): { readonly data: Uint8Array; readonly vlan: number } {
    const type = (bytes[MAC_BYTES] << 8) | bytes[MAC_BYTES + 1];
    const wanted = (s.control & Control.VlanMode) !== 0 && type === s.plain[Reg.VlanType];
    if (!wanted || bytes.length < HEADER + VLAN_TAG) return { data: bytes, vlan: -1 };
    const data = new Uint8Array(bytes.length - VLAN_TAG);
    data.set(bytes.subarray(0, MAC_BYTES));
    data.set(bytes.subarray(MAC_BYTES + VLAN_TAG), MAC_BYTES);
    return { data, vlan: (bytes[MAC_BYTES + 2] << 8) | bytes[MAC_BYTES + 3] };
  }
}
