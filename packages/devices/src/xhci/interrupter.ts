// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { copyState } from "../device.js";
import {
  Completion,
  ERDP_BUSY,
  EVENT_SEGMENTS_LOG2,
  IMAN_ENABLE,
  IMAN_PENDING,
  Interrupt,
  MAX_EVENT_SEGMENT,
  MIN_EVENT_SEGMENT,
  TRB_SIZE,
  TrbBit,
  TrbType,
} from "./registers.js";
import { type InterrupterState, interrupterResetState } from "./state.js";

/** An event on its way to the guest, short of its cycle bit (6.4.2). */
export interface XhciEvent {
  readonly type: TrbType;
  readonly code: Completion;
  readonly low: number;
  readonly high: number;
  /** Lower 24 bits of the third dword. */
  readonly length?: number;
  /** Slot, endpoint and flags: bits of the fourth dword. */
  readonly control?: number;
  /** It is put into the ring and nothing more: no interrupt. */
  readonly silent?: boolean;
}

export interface InterrupterPorts {
  readonly ram: GuestRam;
  /** Whether the controller may reach memory. */
  busMaster(): boolean;
  /** The ring is not where it is said to be: the controller stops. */
  broken(): void;
  /** Something that interrupt pins or messages follow from has changed; `raise` asks for a message. */
  changed(raise: boolean): void;
}

interface Segment {
  readonly base: number;
  readonly size: number;
}

/** One interrupter with its event ring (4.9.4, 4.17). */
export class Interrupter {
  s: InterrupterState = interrupterResetState();

  constructor(private readonly ports: InterrupterPorts) {}

  reset(): void {
    this.s = interrupterResetState();
  }

  save(): InterrupterState {
    return copyState(this.s);
  }

  restore(state: InterrupterState): void {
    this.s = copyState(state);
  }

  /** Whether it wants its interrupt asserted. */
  get asserted(): boolean {
    const both = IMAN_PENDING | IMAN_ENABLE;
    return (this.s.management & both) === both;
  }

  /** A message was sent for it, which acknowledges (5.5.2.1). */
  messageSent(): void {
    this.s.management &= ~IMAN_PENDING;
  }

  read(offset: number): number {
    const { s } = this;
    switch (offset) {
      case Interrupt.Management:
        return s.management;
      case Interrupt.Moderation:
        return s.moderation;
      case Interrupt.TableSize:
        return s.tableSize;
      case Interrupt.TableLow:
      case Interrupt.TableHigh:
        return s.table[offset === Interrupt.TableHigh ? 1 : 0];
      case Interrupt.DequeueLow:
      case Interrupt.DequeueHigh:
        return s.dequeue[offset === Interrupt.DequeueHigh ? 1 : 0];
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    const { s } = this;
    switch (offset) {
      case Interrupt.Management: {
        const before = this.asserted;
        s.management = (s.management & ~(value & IMAN_PENDING) & IMAN_PENDING) | (value & IMAN_ENABLE);
        return this.ports.changed(this.asserted && !before);
      }
      case Interrupt.Moderation:
        s.moderation = value;
        return;
      case Interrupt.TableSize:
        s.tableSize = value & 0xffff;
        return;
      case Interrupt.TableLow:
        s.table[0] = (value & ~0x3f) >>> 0;
        return this.restart();
      case Interrupt.TableHigh:
        s.table[1] = value;
        return this.restart();
      case Interrupt.DequeueLow:
        return this.setDequeue(value);
      case Interrupt.DequeueHigh:
        s.dequeue[1] = value;
        return;
      default:
        return;
    }
  }

  /** Blocks that can be written before the ring is full; all of them while the guest has given none. */
  get room(): number {
    const segments = this.segments();
    if (segments === null) return Infinity;
    const total = segments.reduce((sum, { size }) => sum + size, 0);
    const [head, tail] = [this.dequeueIndex(segments), this.enqueueIndex(segments)];
    return head < 0 || total === 0 ? 0 : (head - tail - 1 + total) % total;
  }

  /** Puts an event into the ring; without room it is lost, of which the last event that fits tells. */
  post(event: XhciEvent): void {
    const segments = this.segments();
    if (segments === null) return;
    const { room } = this;
    if (room === 0) return;
    if (room > 1) this.put(segments, event);
    else this.put(segments, { type: TrbType.HostController, code: Completion.EventRingFull, low: 0, high: 0 });
    if (event.silent !== true) this.raise();
  }

  /** A new table: the controller begins at its start. */
  private restart(): void {
    this.s.segment = 0;
    this.s.index = 0;
    this.s.cycle = true;
  }

  private setDequeue(value: number): void {
    const { s } = this;
    const busy = (s.dequeue[0] & ERDP_BUSY & ~value) >>> 0;
    s.dequeue[0] = ((value & ~ERDP_BUSY) | busy) >>> 0;
    if ((value & ERDP_BUSY) === 0) return;
    const segments = this.segments();
    if (segments === null) return;
    // Events that the guest has not seen are another interrupt (4.17.2).
    const head = this.dequeueIndex(segments);
    if (head >= 0 && head !== this.enqueueIndex(segments)) this.raise();
  }

  private raise(): void {
    const { s } = this;
    // While the guest handles events it gets no interrupt for more of them: its update of the pointer asks for that.
    if ((s.dequeue[0] & ERDP_BUSY) !== 0) return;
    s.dequeue[0] = (s.dequeue[0] | ERDP_BUSY) >>> 0;
    s.management |= IMAN_PENDING;
    this.ports.changed(true);
  }

  private put(segments: readonly Segment[], event: XhciEvent): void {
    const { s, ports } = this;
    const { base, size } = segments[s.segment] ?? segments[0];
    const at = base + s.index * TRB_SIZE;
    const { ram } = ports;
    if (!ports.busMaster() || ram.offsetOf(at, TRB_SIZE) < 0) return ports.broken();
    ram.setU32(at, event.low);
    ram.setU32(at + 4, event.high);
    ram.setU32(at + 8, ((event.code << 24) | ((event.length ?? 0) & 0xff_ffff)) >>> 0);
    const control = (event.control ?? 0) | (event.type << TrbBit.TypeShift) | (s.cycle ? TrbBit.Cycle : 0);
    ram.setU32(at + 12, control >>> 0);
    if (++s.index < size) return;
    s.index = 0;
    if (++s.segment < segments.length) return;
    s.segment = 0;
    s.cycle = !s.cycle;
  }

  /** The table's segments (6.5); null without one, or if it makes no sense, of which the controller dies. */
  private segments(): Segment[] | null {
    const { s, ports } = this;
    const count = Math.min(s.tableSize, 1 << EVENT_SEGMENTS_LOG2);
    if (count === 0) return null;
    const table = s.table[1] * 2 ** 32 + s.table[0];
    if (ports.ram.offsetOf(table, count * TRB_SIZE) < 0) return this.die();
    const found: Segment[] = [];
    for (let at = table; found.length < count; at += TRB_SIZE) {
      const base = ports.ram.u32(at + 4) * 2 ** 32 + ((ports.ram.u32(at) & ~0x3f) >>> 0);
      const size = ports.ram.u16(at + 8);
      if (size < MIN_EVENT_SEGMENT || size > MAX_EVENT_SEGMENT) return this.die();
      found.push({ base, size });
    }
    return found;
  }

  private die(): null {
    this.ports.broken();
    return null;
  }

  private enqueueIndex(segments: readonly Segment[]): number {
    let index = this.s.index;
    for (let i = 0; i < this.s.segment && i < segments.length; i++) index += segments[i].size;
    return index;
  }

  /** Number of the block that the guest takes next, counted over all segments; -1 if that is in none. */
  private dequeueIndex(segments: readonly Segment[]): number {
    const address = this.s.dequeue[1] * 2 ** 32 + ((this.s.dequeue[0] & ~0xf) >>> 0);
    let before = 0;
    for (const { base, size } of segments) {
      if (address >= base && address < base + size * TRB_SIZE) return before + (address - base) / TRB_SIZE;
      before += size;
    }
    return -1;
  }
}
