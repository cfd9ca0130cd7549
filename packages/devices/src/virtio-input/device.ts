// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import { fromBytes } from "../access-width.js";
import { copyState } from "../device.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import {
  BUS_VIRTUAL,
  Config,
  EVENT_SIZE,
  EventType,
  INPUT_TYPE,
  MAX_EVENTS,
  Queue,
  QUEUE_SIZE,
  Select,
  VENDOR,
} from "./registers.js";
import { type InputEvent, type VirtioInputState, virtioInputResetState } from "./state.js";

/** What an input device can tell of. */
export interface InputProfile {
  readonly name: string;
  readonly serial: string;
  readonly classCode: number;
  readonly productId: number;
  /** By type of event, the codes that there are. */
  readonly codes: ReadonlyMap<EventType, readonly number[]>;
  /** The largest position of each absolute axis; the smallest is 0. */
  readonly axes: ReadonlyMap<number, number>;
}

/** A virtio input device: what happens goes to the driver as events of Linux's input layer. */
export class VirtioInput implements VirtioFunction<VirtioInputState> {
  readonly type = INPUT_TYPE;
  readonly classCode: number;
  readonly features: readonly number[] = [];
  readonly queueSizes: readonly number[] = [QUEUE_SIZE, QUEUE_SIZE];
  private host: VirtioHost | null = null;
  private s = virtioInputResetState();

  constructor(private readonly profile: InputProfile) {
    this.classCode = profile.classCode;
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  /** Whether a driver listens. */
  get ready(): boolean {
    return this.host !== null && this.host.running;
  }

  /** Lights that the driver has switched on, as bits. */
  get lights(): number {
    return this.s.lights;
  }

  readConfig(offset: number, size: AccessSize): number {
    const { s } = this;
    const data = this.selected();
    return fromBytes(offset, size, (at) => {
      if (at === Config.Select) return s.select;
      if (at === Config.Subselect) return s.subselect;
      if (at === Config.Size) return data.length;
      return at >= Config.Data ? (data[at - Config.Data] ?? 0) : 0;
    });
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) {
      const byte = (value >>> (8 * i)) & 0xff;
      if (offset + i === Config.Select) this.s.select = byte;
      else if (offset + i === Config.Subselect) this.s.subselect = byte;
    }
  }

  notify(queue: number): void {
    if (queue === Queue.Events) this.flush();
    else this.takeStatus();
  }

  reset(): void {
    this.s = virtioInputResetState();
  }

  save(): VirtioInputState {
    return copyState(this.s);
  }

  restore(state: VirtioInputState): void {
    this.s = copyState(state);
  }

  /** A key or button goes down or up; what the driver knows already is not told again. */
  protected press(code: number, pressed: boolean): InputEvent[] {
    const { s } = this;
    if (s.down.includes(code) === pressed) return [];
    return [[EventType.Key, code, pressed ? 1 : 0]];
  }

  /** Tells the driver of what has happened at one moment. */
  protected send(events: readonly InputEvent[]): void {
    const { s } = this;
    if (events.length === 0 || !this.ready) return;
    // Later events that change the same keys tell of what is lost here.
    if (s.events.length + events.length + 1 > MAX_EVENTS) return;
    for (const [type, code, value] of events) {
      if (type !== EventType.Key) continue;
      s.down = s.down.filter((one) => one !== code);
      if (value !== 0) s.down.push(code);
    }
    s.events.push(...events, [EventType.Synchronize, 0, 0]);
    this.flush();
  }

  /** Fills the driver's buffers for as long as there are some. */
  private flush(): void {
    const { host, s } = this;
    if (host === null || !host.running || s.events.length === 0) return;
    const ring = host.queues[Queue.Events];
    do {
      while (s.events.length > 0) {
        const chain = ring.pop();
        if (chain === null) break;
        const [type, code, value] = s.events[0];
        const bytes = new Uint8Array(EVENT_SIZE);
        const view = new DataView(bytes.buffer);
        view.setUint16(0, type, true);
        view.setUint16(2, code, true);
        view.setInt32(4, value, true);
        s.events.shift();
        ring.push(chain, chain.write(host.ram, 0, bytes));
      }
    } while (s.events.length > 0 && ring.enableNotify());
    host.used(Queue.Events);
  }

  /** The driver switches lights. */
  private takeStatus(): void {
    const { host } = this;
    if (host === null || !host.running) return;
    const ring = host.queues[Queue.Status];
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) {
        const bytes = new Uint8Array(EVENT_SIZE);
        if (chain.read(host.ram, 0, bytes) === EVENT_SIZE) this.status(new DataView(bytes.buffer));
        ring.push(chain, 0);
      }
    } while (ring.enableNotify());
    host.used(Queue.Status);
  }

  private status(event: DataView): void {
    const code = event.getUint16(2, true);
    const known = this.profile.codes.get(EventType.Light) ?? [];
    if (event.getUint16(0, true) !== EventType.Light || !known.includes(code)) return;
    const bit = 1 << code;
    this.s.lights = event.getUint32(4, true) === 0 ? this.s.lights & ~bit : this.s.lights | bit;
  }

  /** What the driver has asked for; empty if there is no such thing. */
  private selected(): readonly number[] {
    const { profile, s } = this;
    switch (s.select) {
      case Select.Name:
        return s.subselect === 0 ? ascii(profile.name) : [];
      case Select.Serial:
        return s.subselect === 0 ? ascii(profile.serial) : [];
      case Select.Ids:
        return s.subselect === 0 ? [BUS_VIRTUAL, VENDOR, profile.productId, 1].flatMap(word) : [];
      case Select.EventBits:
        return bitmap(profile.codes.get(s.subselect) ?? []);
      case Select.AbsoluteInfo: {
        const last = profile.axes.get(s.subselect);
        // Smallest, largest, and no fuzz, flat or resolution.
        return last === undefined ? [] : [0, last, 0, 0, 0].flatMap((value) => [...word(value), 0, 0]);
      }
      default:
        return [];
    }
  }
}

function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}

function bitmap(codes: readonly number[]): number[] {
  if (codes.length === 0) return [];
  const bytes = new Array<number>((Math.max(...codes) >> 3) + 1).fill(0);
  for (const code of codes) bytes[code >> 3] |= 1 << (code & 7);
  return bytes;
}
