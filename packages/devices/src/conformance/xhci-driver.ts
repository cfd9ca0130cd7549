// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import type { UsbDevice } from "../usb/device.js";
import { Xhci } from "../xhci/device.js";
import {
  CommandRing,
  CONTEXT_SIZE,
  ERDP_BUSY,
  IMAN_ENABLE,
  INTERRUPTER_START,
  Interrupt,
  Op,
  Part,
  PORT_SPAN,
  PortBit,
  TRB_SIZE,
  TrbBit,
  TrbType,
  UsbCommand,
} from "../xhci/registers.js";
import type { FakeClock } from "./fake-clock.js";
import { RecordingLine } from "./recorders.js";

const RAM_SIZE = 4 << 20;
export const XHCI_BASE = 0xe000_0000;
const MSIX_BASE = 0xe100_0000;
const CONTEXT_ARRAY = 0x1000;
const COMMAND_RING = 0x2000;
const EVENT_TABLE = 0x3000;
/** The event ring has two segments. */
const EVENT_SEGMENTS = [0x4000, 0x6000] as const;
export const EVENT_SEGMENT_SIZE = 64;
const INPUT_CONTEXT = 0x8000;
const DEVICE_CONTEXTS = 0x1_0000;
const TRANSFER_RINGS = 0x4_0000;
const RING_SIZE = 32;
export const XHCI_DATA = 0x10_0000;

export interface SeenEvent {
  readonly type: number;
  readonly code: number;
  /** Parameter: address of a block, or what an event data block said. */
  readonly pointer: number;
  readonly length: number;
  readonly slot: number;
  readonly endpoint: number;
}

/** A block as a driver writes it; the cycle bit is the ring's. */
export interface Block {
  readonly type: TrbType;
  readonly parameter?: number;
  readonly high?: number;
  readonly status?: number;
  readonly control?: number;
}

/** What the driver knows of a ring that it fills. */
interface Ring {
  readonly base: number;
  index: number;
  cycle: boolean;
}

/** A controller with devices, and a small driver that talks to it as a guest would. */
export class XhciBench {
  readonly mmio = new Bus("mmio");
  readonly ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  readonly intx = new RecordingLine();
  readonly messages: number[] = [];
  readonly device: Xhci;
  private readonly rings = new Map<number, Ring>();
  private commands: Ring = { base: COMMAND_RING, index: 0, cycle: true };
  private seen = 0;

  constructor(clock: FakeClock, devices: readonly UsbDevice[]) {
    this.device = new Xhci({
      spaces: { ports: new Bus("ports"), mmio: this.mmio },
      ram: this.ram,
      msi: { signal: (_address, data) => this.messages.push(data) },
      intx: this.intx,
      timers: clock,
      devices,
    });
    this.place();
  }

  /** Places the BARs and switches on memory decoding and bus mastering. */
  place(): void {
    const { config } = this.device.pci;
    config.write(0x10, 4, XHCI_BASE);
    config.write(0x14, 4, 0);
    config.write(0x20, 4, MSIX_BASE);
    config.write(4, 2, 6);
  }

  get(offset: number): number {
    return this.mmio.read(XHCI_BASE + offset, 4);
  }

  set(offset: number, value: number): void {
    this.mmio.write(XHCI_BASE + offset, 4, value);
  }

  op(offset: Op): number {
    return this.get(Part.Operational + offset);
  }

  setOp(offset: Op, value: number): void {
    this.set(Part.Operational + offset, value);
  }

  interrupter(offset: Interrupt): number {
    return Part.Runtime + INTERRUPTER_START + offset;
  }

  port(number: number): number {
    return this.get(Part.Ports + (number - 1) * PORT_SPAN);
  }

  setPort(number: number, value: number): void {
    this.set(Part.Ports + (number - 1) * PORT_SPAN, value);
  }

  /** Switches MSI-X on with vector numbers as data. */
  useMessages(): void {
    for (let vector = 0; vector < 8; vector++) {
      this.mmio.write(MSIX_BASE + vector * 16, 4, 0xfee0_0000);
      this.mmio.write(MSIX_BASE + vector * 16 + 8, 4, vector);
      this.mmio.write(MSIX_BASE + vector * 16 + 12, 4, 0);
    }
    const { config } = this.device.pci;
    config.write(config.get8(0x34) + 2, 2, 0x8000);
  }

  /** Resets and starts the controller, with rings that are empty. */
  start(slots = 8): this {
    this.setOp(Op.Command, UsbCommand.Reset);
    this.ram.write(CONTEXT_ARRAY, new Uint8Array(XHCI_DATA - CONTEXT_ARRAY));
    this.rings.clear();
    this.commands = { base: COMMAND_RING, index: 0, cycle: true };
    this.seen = 0;
    this.setOp(Op.Configure, slots);
    this.setOp(Op.ContextsLow, CONTEXT_ARRAY);
    this.setOp(Op.ContextsHigh, 0);
    this.setOp(Op.CommandRingLow, COMMAND_RING | CommandRing.CycleState);
    this.setOp(Op.CommandRingHigh, 0);
    EVENT_SEGMENTS.forEach((base, i) => {
      this.ram.setU32(EVENT_TABLE + i * TRB_SIZE, base);
      this.ram.setU32(EVENT_TABLE + i * TRB_SIZE + 8, EVENT_SEGMENT_SIZE);
    });
    this.set(this.interrupter(Interrupt.TableSize), EVENT_SEGMENTS.length);
    this.set(this.interrupter(Interrupt.DequeueLow), EVENT_SEGMENTS[0]);
    this.set(this.interrupter(Interrupt.DequeueHigh), 0);
    this.set(this.interrupter(Interrupt.TableLow), EVENT_TABLE);
    this.set(this.interrupter(Interrupt.TableHigh), 0);
    this.set(this.interrupter(Interrupt.Management), IMAN_ENABLE);
    this.setOp(Op.Command, UsbCommand.Run | UsbCommand.InterruptEnable);
    return this;
  }

  /** Takes the events that have come; tells the controller so unless `keep`. */
  events(keep = false): SeenEvent[] {
    const found: SeenEvent[] = [];
    const total = EVENT_SEGMENTS.length * EVENT_SEGMENT_SIZE;
    let at = this.seen;
    for (;;) {
      const address = this.eventAddress(at % total);
      const cycle = Math.floor(at / total) % 2 === 0 ? 1 : 0;
      const control = this.ram.u32(address + 12);
      if ((control & 1) !== cycle) break;
      const status = this.ram.u32(address + 8);
      found.push({
        type: (control >>> 10) & 0x3f,
        code: status >>> 24,
        pointer: this.ram.u32(address),
        length: status & 0xff_ffff,
        slot: control >>> 24,
        endpoint: (control >>> 16) & 0x1f,
      });
      at++;
    }
    if (keep) return found;
    this.seen = at;
    this.set(this.interrupter(Interrupt.DequeueLow), this.eventAddress(at % total) | ERDP_BUSY);
    return found;
  }

  /** Carries out a command; returns its completion code and slot. */
  command(type: TrbType, given: Omit<Block, "type"> = {}): [code: number, slot: number] {
    this.put(this.commands, { ...given, type });
    this.set(Part.Doorbells, 0);
    const done = this.events().filter((event) => event.type === TrbType.CommandCompletion);
    const last = done.at(-1);
    return last === undefined ? [0, 0] : [last.code, last.slot];
  }

  /** Resets a port and gives its device a slot and an address; returns the slot. */
  address(port: number, flags = 0): number {
    this.setPort(port, PortBit.Power | PortBit.Reset);
    const [, slot] = this.command(TrbType.EnableSlot);
    this.ram.setU32(CONTEXT_ARRAY + 8 * slot, this.contextOf(slot));
    this.clearInput(0, 3);
    this.input(0, [1 << 27, port << 16]);
    this.endpointInput(slot, 1, 4, 64);
    this.command(TrbType.AddressDevice, { parameter: INPUT_CONTEXT, control: (slot << 24) | flags });
    return slot;
  }

  /** Addresses a device, chooses its configuration and adds its endpoints, by device context index. */
  configure(port: number, endpoints: readonly { index: number; type: number; maxPacket: number }[]): number {
    const slot = this.address(port);
    this.addEndpoints(slot, endpoints);
    this.control(slot, [0x00, 9, 1, 0, 0, 0, 0, 0]);
    return slot;
  }

  addEndpoints(slot: number, endpoints: readonly { index: number; type: number; maxPacket: number }[]): number {
    this.clearInput(
      0,
      endpoints.reduce((bits, { index }) => bits | (1 << index), 1),
    );
    this.input(0, [31 << 27]);
    for (const { index, type, maxPacket } of endpoints) this.endpointInput(slot, index, type, maxPacket);
    return this.command(TrbType.ConfigureEndpoint, { parameter: INPUT_CONTEXT, control: slot << 24 })[0];
  }

  contextOf(slot: number, index = 0): number {
    return DEVICE_CONTEXTS + slot * 0x1000 + index * CONTEXT_SIZE;
  }

  /** State of an endpoint as its context shows it. */
  endpointPhase(slot: number, index: number): number {
    return this.ram.u32(this.contextOf(slot, index)) & 7;
  }

  clearInput(drop: number, add: number): number {
    this.ram.write(INPUT_CONTEXT, new Uint8Array(CONTEXT_SIZE * 33));
    this.ram.setU32(INPUT_CONTEXT, drop);
    this.ram.setU32(INPUT_CONTEXT + 4, add);
    return INPUT_CONTEXT;
  }

  input(context: number, dwords: readonly number[]): void {
    dwords.forEach((dword, i) => this.ram.setU32(INPUT_CONTEXT + CONTEXT_SIZE * (context + 1) + 4 * i, dword >>> 0));
  }

  private endpointInput(slot: number, index: number, type: number, maxPacket: number): void {
    const base = TRANSFER_RINGS + (slot * 32 + index) * RING_SIZE * TRB_SIZE;
    this.ram.write(base, new Uint8Array(RING_SIZE * TRB_SIZE));
    this.rings.set(slot * 32 + index, { base, index: 0, cycle: true });
    this.input(index, [0, (maxPacket << 16) | (type << 3), base | 1, 0]);
  }

  /** Puts blocks into an endpoint's ring; returns their addresses. */
  queue(slot: number, index: number, blocks: readonly Block[]): number[] {
    const ring = this.rings.get(slot * 32 + index);
    if (ring === undefined) throw new Error(`no ring for endpoint ${index} of slot ${slot}`);
    return blocks.map((block) => this.put(ring, block));
  }

  ring(slot: number, index: number): void {
    this.set(Part.Doorbells + 4 * slot, index);
  }

  /** The ring's next block and cycle bit, as Set TR Dequeue Pointer wants them. */
  dequeueOf(slot: number, index: number): number {
    const ring = this.rings.get(slot * 32 + index);
    return ring === undefined ? 0 : (ring.base + ring.index * TRB_SIZE) | (ring.cycle ? 1 : 0);
  }

  /** One transfer of one block with an event. */
  transfer(slot: number, index: number, address: number, length: number): SeenEvent[] {
    const control = TrbBit.InterruptOnCompletion | TrbBit.InterruptOnShort;
    this.queue(slot, index, [{ type: TrbType.Normal, parameter: address, status: length, control }]);
    this.ring(slot, index);
    return this.events();
  }

  /** A control transfer; `out` are the data of one that sends some. Returns the events. */
  control(slot: number, setup: readonly number[], out: readonly number[] = []): SeenEvent[] {
    const [low, high] = [0, 4].map((at) => new DataView(Uint8Array.from(setup).buffer).getUint32(at, true));
    const length = (high ?? 0) >>> 16;
    const towardsHost = (setup[0] ?? 0) >= 0x80;
    if (out.length > 0) this.ram.write(XHCI_DATA, Uint8Array.from(out));
    const blocks: Block[] = [
      { type: TrbType.Setup, parameter: low ?? 0, high: high ?? 0, status: 8, control: TrbBit.ImmediateData },
    ];
    if (length > 0) {
      const flags = TrbBit.InterruptOnShort | (towardsHost ? TrbBit.DirectionIn : 0);
      blocks.push({ type: TrbType.Data, parameter: XHCI_DATA, status: length, control: flags });
    }
    blocks.push({ type: TrbType.Status, control: TrbBit.InterruptOnCompletion });
    this.queue(slot, 1, blocks);
    this.ring(slot, 1);
    return this.events();
  }

  /** Reads by a control transfer. */
  read(slot: number, setup: readonly number[]): number[] {
    const length = (setup[6] ?? 0) | ((setup[7] ?? 0) << 8);
    this.ram.write(XHCI_DATA, new Uint8Array(length));
    const short = this.control(slot, setup).find(({ code }) => code === 13);
    return this.bytes(XHCI_DATA, length - (short?.length ?? 0));
  }

  bytes(address: number, length: number): number[] {
    const into = new Uint8Array(length);
    this.ram.read(address, into);
    return [...into];
  }

  private put(ring: Ring, { type, parameter = 0, high = 0, status = 0, control = 0 }: Block): number {
    const at = ring.base + ring.index * TRB_SIZE;
    this.ram.setU32(at, parameter);
    this.ram.setU32(at + 4, high);
    this.ram.setU32(at + 8, status);
    this.ram.setU32(at + 12, (control | (type << TrbBit.TypeShift) | (ring.cycle ? 1 : 0)) >>> 0);
    if (++ring.index === RING_SIZE - 1) {
      const link = ring.base + ring.index * TRB_SIZE;
      this.ram.setU32(link, ring.base);
      this.ram.setU32(link + 4, 0);
      this.ram.setU32(link + 12, (TrbType.Link << 10) | TrbBit.ToggleCycle | (ring.cycle ? 1 : 0));
      ring.index = 0;
      ring.cycle = !ring.cycle;
    }
    return at;
  }

  private eventAddress(index: number): number {
    const segment = EVENT_SEGMENTS[Math.floor(index / EVENT_SEGMENT_SIZE)] ?? EVENT_SEGMENTS[0];
    return segment + (index % EVENT_SEGMENT_SIZE) * TRB_SIZE;
  }
}
