// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetPort } from "@isola/ports";
import { type CardParts, GatheredPacket } from "../network-card.js";
import { finishFrame } from "./checksums.js";
import {
  Cause,
  Command,
  Descriptor,
  DESCRIPTOR_BYTES,
  DESCRIPTORS,
  INSERT_TAG,
  MAX_GATHERED,
  MIN_FRAME,
  PADDED_FRAME,
  PlusCommand,
  Poll,
  Reg,
  RING_DESCRIPTORS,
  TransmitStatus,
} from "./registers.js";
import { addressAt, dwordAt, type Rtl8139State } from "./state.js";

const VLAN_AT = 12;
const VLAN_TYPE = [0x81, 0x00] as const;
/** Bits of the first dword that stay when a descriptor is given back. */
const KEPT = Descriptor.EndOfRing | Descriptor.First | Descriptor.Last;

/** Sends what the driver has put into registers (C mode) or rings (C+ mode). */
export class Transmitter {
  /** The frame that is not complete. */
  readonly packet = new GatheredPacket(MAX_GATHERED);

  /** @param wire where frames go: the network, or the receiver of the card itself */
  constructor(
    private readonly card: CardParts<Rtl8139State>,
    private readonly wire: () => Pick<NetPort, "receive" | "flush">,
  ) {}

  /** Sends what there is; returns causes for an interrupt. */
  run(): number {
    const { card } = this;
    const s = card.state();
    if ((s.command & Command.TransmitEnable) === 0 || !card.mayMaster()) return 0;
    const before = card.counts.framesOut;
    const plus = (s.plusCommand & PlusCommand.Transmit) !== 0;
    const causes = plus ? this.runRing(s, Poll.High) | this.runRing(s, Poll.Normal) : this.runRegisters(s);
    if (card.counts.framesOut !== before) this.wire().flush();
    return causes;
  }

  private runRegisters(s: Rtl8139State): number {
    let causes = 0;
    for (let i = 0; i < DESCRIPTORS; i++) {
      const index = s.nextTransmit;
      const status = s.transmitStatus[index];
      if ((status & TransmitStatus.Own) !== 0) break;
      const length = status & TransmitStatus.Size;
      const bytes = this.packet.bytes.subarray(0, length);
      const there = this.card.ram.read(dwordAt(s, Reg.TransmitAddress + 4 * index), bytes);
      if (there && length >= MIN_FRAME) {
        if (!this.send({ bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 })) break;
        s.transmitStatus[index] = status | TransmitStatus.Own | TransmitStatus.Ok;
        causes |= Cause.TransmitOk;
      } else {
        s.transmitStatus[index] = (status | TransmitStatus.Own | TransmitStatus.Aborted) >>> 0;
        this.card.counts.dropped++;
        causes |= Cause.TransmitError;
      }
      s.nextTransmit = (index + 1) % DESCRIPTORS;
    }
    return causes;
  }

  /** One round of a ring at most: more than it can hold there is not. */
  private runRing(s: Rtl8139State, poll: Poll): number {
    if ((s.polled & poll) === 0) return 0;
    const { ram } = this.card;
    const high = poll === Poll.High;
    const base = addressAt(s, high ? Reg.HighRing : Reg.NormalRing, 256);
    let causes = 0;
    for (let count = 0; count < RING_DESCRIPTORS; count++) {
      const index = high ? s.highIndex : s.normalIndex;
      const at = base + index * DESCRIPTOR_BYTES;
      const command = ram.u32(at);
      if ((command & Descriptor.Own) === 0) {
        s.polled &= ~poll;
        return causes | Cause.NoTransmitDescriptor;
      }
      const done = this.take(at, command);
      if (done === null) return causes;
      causes |= done;
      ram.setU32(at, (command & KEPT) >>> 0);
      const next = (command & Descriptor.EndOfRing) !== 0 ? 0 : (index + 1) % RING_DESCRIPTORS;
      if (high) s.highIndex = next;
      else s.normalIndex = next;
    }
    s.polled &= ~poll;
    return causes;
  }

  /** Takes one descriptor; null if the network has no room for the frame that ends with it. */
  private take(at: number, command: number): number | null {
    const { ram, counts } = this.card;
    if ((command & Descriptor.First) !== 0) this.packet.clear();
    const before = this.packet.filled;
    const length = command & Descriptor.TransmitLength;
    const fits = Math.min(length, MAX_GATHERED - before);
    const into = this.packet.bytes.subarray(before, before + fits);
    const there = ram.read(ram.u32(at + 12) * 2 ** 32 + ram.u32(at + 8), into);
    // What is not memory reads as ones, like a bus on which nobody answers.
    if (!there) into.fill(0xff);
    const whole = before + fits;
    if ((command & Descriptor.Last) === 0) {
      this.packet.filled = whole;
      return 0;
    }
    if (whole < MIN_FRAME || fits < length) {
      counts.dropped++;
      this.packet.clear();
      return Cause.TransmitError;
    }
    const frame = finishFrame(this.complete(whole, ram.u32(at + 4)), command);
    if (!this.send(frame)) {
      this.packet.filled = before;
      return null;
    }
    this.packet.clear();
    return Cause.TransmitOk;
  }

  /** A copy of the frame with its tag, as long as Ethernet wants it. */
  private complete(length: number, tagWord: number): Uint8Array {
    const tag = (tagWord & INSERT_TAG) === 0 ? [] : [...VLAN_TYPE, tagWord & 0xff, (tagWord >> 8) & 0xff];
    const bytes = new Uint8Array(Math.max(length + tag.length, PADDED_FRAME));
    bytes.set(this.packet.bytes.subarray(0, VLAN_AT));
    bytes.set(tag, VLAN_AT);
    bytes.set(this.packet.bytes.subarray(VLAN_AT, length), VLAN_AT + tag.length);
    return bytes;
  }

  private send(frame: NetFrame): boolean {
    if (!this.wire().receive(frame)) return false;
    this.card.counts.framesOut++;
    this.card.counts.bytesOut += frame.bytes.length;
    return true;
  }
}
