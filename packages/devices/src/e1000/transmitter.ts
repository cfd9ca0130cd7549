// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetLink } from "@isola/ports";
import { type CardParts, GatheredPacket } from "../network-card.js";
import { completeLargePacket, insertIpChecksum } from "./packet.js";
import {
  Cause,
  Command,
  DESCRIPTOR_SIZE,
  MAX_GATHERED,
  Option,
  Reg,
  STATUS_DONE,
  TRANSMIT_ENABLE,
} from "./registers.js";
import type { E1000State } from "./state.js";

const MIN_FRAME = 14;
const MAC_BYTES = 12;
const VLAN_TAG = 4;
const TYPE_DATA = 1;

/** The transmit side: gathers packets from descriptors and gives them to the network (3.3). */
export class Transmitter {
  /** The packet that is not complete. */
  readonly packet = new GatheredPacket(MAX_GATHERED);

  constructor(private readonly card: CardParts<E1000State> & { readonly link: NetLink }) {}

  /** Works through the ring; returns causes for an interrupt. */
  run(): number {
    const { card } = this;
    const s = card.state();
    const ring = s.transmit;
    const size = ring.length / DESCRIPTOR_SIZE;
    if ((s.transmitControl & TRANSMIT_ENABLE) === 0 || size === 0 || !card.mayMaster()) return 0;
    const before = card.counts.framesOut;
    let causes = 0;
    // A tail beyond the ring is never reached: one round is all that a ring can hold.
    for (let count = 0; count < size && ring.head !== ring.tail; count++) {
      if (ring.head >= size) ring.head = 0;
      const at = ring.base[1] * 2 ** 32 + ring.base[0] + ring.head * DESCRIPTOR_SIZE;
      if (card.ram.offsetOf(at, DESCRIPTOR_SIZE) < 0) break;
      const words = [0, 4, 8, 12].map((offset) => card.ram.u32(at + offset));
      if (!this.take(s, words)) break;
      if ((words[2] & (Command.ReportStatus << 24)) !== 0) {
        card.ram.setU8(at + 12, (words[3] & 0xff) | STATUS_DONE);
        causes |= Cause.TransmitDone;
      }
      ring.head = (ring.head + 1) % size;
    }
    if (card.counts.framesOut !== before) card.link.flush();
    if (ring.head === ring.tail) causes |= Cause.TransmitEmpty;
    return causes;
  }

  /** Takes one descriptor; false if the network has no room for the packet that ends with it. */
  private take(s: E1000State, words: readonly number[]): boolean {
    const [low, high, lengths, fields] = words;
    const command = lengths >>> 24;
    const extended = (command & Command.Extended) !== 0;
    if (extended && ((lengths >>> 20) & 15) !== TYPE_DATA) {
      s.context = {
        ipStart: low & 0xff,
        ipOffset: (low >>> 8) & 0xff,
        ipEnd: low >>> 16,
        transportStart: high & 0xff,
        transportOffset: (high >>> 8) & 0xff,
        headerLength: (fields >>> 8) & 0xff,
        segmentSize: fields >>> 16,
      };
      return true;
    }
    const length = lengths & (extended ? 0xf_ffff : 0xffff);
    // The options of a packet are those of its first data descriptor (3.3.7.2).
    if (this.packet.filled === 0) s.partialOptions = extended ? (fields >>> 8) & 0xff : 0;
    const whole = this.gather(high * 2 ** 32 + low, length);
    if ((command & Command.EndOfPacket) === 0) {
      this.packet.filled = whole;
      return true;
    }
    if (whole < MIN_FRAME || whole >= MAX_GATHERED) this.card.counts.dropped++;
    else if (!this.send(s, whole, command, extended, words)) return false;
    this.packet.clear();
    return true;
  }

  /** Puts the bytes of a descriptor behind those that are there; returns how many there are, at most the limit. */
  private gather(address: number, length: number): number {
    const before = this.packet.filled;
    const fits = Math.min(length, MAX_GATHERED - before);
    const into = this.packet.bytes.subarray(before, before + fits);
    // What is not memory reads as ones; what is too long is dropped in the end.
    if (length > fits || !this.card.ram.read(address, into)) into.fill(0xff);
    return before + fits;
  }

  private send(s: E1000State, length: number, command: number, extended: boolean, words: readonly number[]): boolean {
    const frame = this.frameOf(s, length, command, extended, words);
    if (frame === null) {
      this.card.counts.dropped++;
      return true;
    }
    if (!this.card.link.receive(frame)) return false;
    this.card.counts.framesOut++;
    this.card.counts.bytesOut += frame.bytes.length;
    return true;
  }

  private frameOf(
    s: E1000State,
    length: number,
    command: number,
    extended: boolean,
    words: readonly number[],
  ): NetFrame | null {
    let bytes = this.packet.bytes.subarray(0, length);
    let [checksumStart, checksumOffset, segmentSize] = [-1, 0, 0];
    const { context } = s;
    if (extended) {
      if ((s.partialOptions & Option.TransportChecksum) !== 0) {
        checksumStart = context.transportStart;
        checksumOffset = context.transportOffset - context.transportStart;
      }
      if ((command & Command.Segmentation) !== 0) {
        if (context.segmentSize === 0 || !completeLargePacket(bytes, context)) return null;
        checksumStart = context.transportStart;
        checksumOffset = context.transportOffset - context.transportStart;
        if (length > context.headerLength + context.segmentSize) segmentSize = context.segmentSize;
      } else if ((s.partialOptions & Option.IpChecksum) !== 0) insertIpChecksum(bytes, context);
    } else if ((command & Command.InsertChecksum) !== 0) {
      // A legacy descriptor says itself where its checksum goes (3.3.3).
      const start = (words[3] >>> 8) & 0xff;
      checksumOffset = ((words[2] >>> 16) & 0xff) - start;
      checksumStart = start;
    }
    if (
      checksumStart >= 0 &&
      (checksumOffset < 0 || checksumStart + checksumOffset + 2 > length || checksumStart < MIN_FRAME)
    )
      return null;
    if ((command & Command.VlanInsert) !== 0) {
      const type = s.plain[Reg.VlanType];
      const tagged = new Uint8Array(length + VLAN_TAG);
      tagged.set(bytes.subarray(0, MAC_BYTES));
      tagged.set([type >> 8, type & 0xff, words[3] >>> 24, (words[3] >>> 16) & 0xff], MAC_BYTES);
      tagged.set(bytes.subarray(MAC_BYTES), MAC_BYTES + VLAN_TAG);
      bytes = tagged;
      if (checksumStart >= 0) checksumStart += VLAN_TAG;
    }
    return { bytes, checksumStart, checksumOffset, segmentSize };
  }
}
