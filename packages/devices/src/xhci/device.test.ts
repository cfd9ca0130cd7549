// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { MemoryStore } from "../conformance/memory-store.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { EVENT_SEGMENT_SIZE, XHCI_DATA, XhciBench } from "../conformance/xhci-driver.js";
import { UsbKeyboard } from "../usb-keyboard/device.js";
import { UsbStorage } from "../usb-storage/device.js";
import { Completion, EndpointPhase, Interrupt, Op, Part, PortBit, SlotPhase, TrbBit, TrbType } from "./registers.js";

const SUPER_PORT = 9;
const SECTORS = 256;
const A_KEY = 0x1e;

function makeBench(clock = new FakeClock()) {
  const keyboard = new UsbKeyboard(clock);
  const store = new MemoryStore(SECTORS * 512);
  const disk = new UsbStorage({ store, serial: "disk-0" });
  const bench = new XhciBench(clock, [keyboard, disk]);
  return { bench, clock, disk, keyboard, store };
}

const KEYBOARD_ENDPOINT = { index: 3, type: 7, maxPacket: 8 };
const DISK_ENDPOINTS = [
  { index: 3, type: 6, maxPacket: 1024 },
  { index: 4, type: 2, maxPacket: 1024 },
];

function startKeyboard() {
  const made = makeBench();
  made.bench.start();
  return { ...made, slot: made.bench.configure(1, [KEYBOARD_ENDPOINT]) };
}

deviceConformance("xhci", (clock) => {
  const { bench, keyboard } = makeBench(clock);
  bench.start();
  const { registerHandler, msix } = bench.device;
  return {
    device: bench.device,
    ranges: [
      { handler: registerHandler, length: 0x100 },
      { handler: registerHandler, length: 0x560 },
      {
        handler: { read: () => 0, write: (at, size, value) => registerHandler.write(0x1000 + at, size, value) },
        length: 0x140,
      },
      {
        handler: { read: () => 0, write: (at, size, value) => registerHandler.write(0x2000 + at, size, value) },
        length: 0x100,
      },
      { handler: msix.handler, length: 0x1000 },
    ],
    pokes: [() => bench.place(), (random) => keyboard.key(random() & 0x7f, random() % 2 === 0)],
  };
});

describe("xhci", () => {
  it("says what it is", () => {
    const { bench } = makeBench();
    expect(bench.mmio.read(0xe000_0000, 1)).toBe(0x40);
    expect(bench.get(0) >>> 16).toBe(0x100);
    expect([bench.get(0x14), bench.get(0x18)]).toEqual([Part.Doorbells, Part.Runtime]);
    expect(bench.get((bench.get(0x10) >>> 16) * 4)).toBe(0x0200_0402);
    expect(bench.op(Op.Status)).toBe(1);
    expect(bench.op(Op.PageSize)).toBe(1);
  });

  it("tells of devices on its ports once it runs, and resets them", () => {
    const { bench } = makeBench();
    bench.start();
    const events = bench.events();
    expect(events.map(({ type, pointer }) => [type, pointer >>> 24])).toEqual([
      [TrbType.PortStatusChange, 1],
      [TrbType.PortStatusChange, SUPER_PORT],
    ]);
    expect(bench.port(1) & (PortBit.Connected | PortBit.Enabled)).toBe(PortBit.Connected);
    expect(bench.port(SUPER_PORT) & (PortBit.Connected | PortBit.Enabled)).toBe(PortBit.Connected | PortBit.Enabled);
    expect((bench.port(SUPER_PORT) >>> 10) & 15).toBe(4);
    expect(bench.port(2) & PortBit.Connected).toBe(0);
    bench.setPort(1, PortBit.Power | PortBit.Reset);
    expect(bench.port(1) & (PortBit.Enabled | PortBit.ResetChange)).toBe(PortBit.Enabled | PortBit.ResetChange);
    expect(bench.events().map(({ pointer }) => pointer >>> 24)).toEqual([1]);
    bench.setPort(1, PortBit.Power | PortBit.Changes);
    expect(bench.port(1) & PortBit.Changes).toBe(0);
    bench.setPort(1, PortBit.Power | PortBit.Enabled);
    expect(bench.port(1) & PortBit.Enabled).toBe(0);
  });

  it("gives out as many slots as the guest allows", () => {
    const { bench } = makeBench();
    bench.start(2);
    expect(bench.command(TrbType.NoOpCommand)).toEqual([Completion.Success, 0]);
    expect(bench.command(TrbType.EnableSlot)).toEqual([Completion.Success, 1]);
    expect(bench.command(TrbType.EnableSlot)).toEqual([Completion.Success, 2]);
    expect(bench.command(TrbType.EnableSlot)).toEqual([Completion.NoSlots, 0]);
    expect(bench.command(TrbType.DisableSlot, { control: 1 << 24 })).toEqual([Completion.Success, 1]);
    expect(bench.command(TrbType.DisableSlot, { control: 1 << 24 })).toEqual([Completion.SlotNotEnabled, 1]);
    expect(bench.command(TrbType.EnableSlot)).toEqual([Completion.Success, 1]);
    expect(bench.command(40 as TrbType)[0]).toBe(Completion.TrbError);
  });

  it("addresses and configures a device", () => {
    const { bench, keyboard } = makeBench();
    bench.start();
    const slot = bench.address(1);
    const slotState = (): number => bench.ram.u32(bench.contextOf(slot) + 12);
    expect(slotState()).toBe((SlotPhase.Addressed << 27) | slot);
    expect(bench.endpointPhase(slot, 1)).toBe(EndpointPhase.Running);
    expect(bench.read(slot, [0x80, 6, 0, 1, 0, 0, 18, 0]).slice(0, 4)).toEqual([18, 1, 0, 2]);
    // More room than there are bytes: the event says how much was left.
    expect(bench.read(slot, [0x80, 6, 0, 1, 0, 0, 64, 0]).length).toBe(18);
    expect(bench.addEndpoints(slot, [KEYBOARD_ENDPOINT])).toBe(Completion.Success);
    expect(slotState() >>> 27).toBe(SlotPhase.Configured);
    expect(keyboard.configured).toBe(false);
    expect(bench.control(slot, [0, 9, 1, 0, 0, 0, 0, 0]).map(({ code }) => code)).toEqual([1]);
    expect(keyboard.configured).toBe(true);
    expect(bench.command(TrbType.ResetDevice, { control: slot << 24 })[0]).toBe(1);
    expect([slotState() >>> 27, bench.endpointPhase(slot, 3)]).toEqual([SlotPhase.Default, 0]);
  });

  it("refuses to address what is not there or taken", () => {
    const { bench } = makeBench();
    bench.start();
    bench.address(1);
    const tryPort = (port: number, route = 0): number => {
      const [, slot] = bench.command(TrbType.EnableSlot);
      bench.ram.setU32(0x1000 + 8 * slot, bench.contextOf(slot));
      const input = bench.clearInput(0, 3);
      bench.input(0, [(1 << 27) | route, port << 16]);
      bench.input(1, [0, 64 << 16, 0x9001, 0]);
      return bench.command(TrbType.AddressDevice, { parameter: input, control: slot << 24 })[0];
    };
    expect(tryPort(1)).toBe(Completion.TrbError);
    expect(tryPort(2)).toBe(Completion.TransactionError);
    expect(tryPort(SUPER_PORT, 1)).toBe(Completion.TransactionError);
    expect(tryPort(0)).toBe(Completion.ParameterError);
    expect(tryPort(200)).toBe(Completion.ParameterError);
    expect(tryPort(SUPER_PORT)).toBe(Completion.Success);
  });

  it("lets an interrupt endpoint wait for its device", () => {
    const { bench, keyboard, slot } = startKeyboard();
    expect(bench.transfer(slot, 3, XHCI_DATA, 8)).toEqual([]);
    keyboard.key(A_KEY, true);
    const [event] = bench.events();
    expect(event).toMatchObject({ type: TrbType.TransferEvent, code: 1, length: 0, slot, endpoint: 3 });
    expect(bench.bytes(XHCI_DATA, 8)).toEqual([0, 0, 4, 0, 0, 0, 0, 0]);
    // Only a packet that is not full ends a transfer: this one takes two reports.
    keyboard.key(A_KEY, false);
    expect(bench.transfer(slot, 3, XHCI_DATA, 16)).toEqual([]);
    keyboard.key(A_KEY, true);
    expect(bench.events().map(({ code, length }) => [code, length])).toEqual([[1, 0]]);
    expect([2, 10].map((at) => bench.ram.u8(XHCI_DATA + at))).toEqual([0, 4]);
  });

  it("halts an endpoint on a stall, until it is reset and moved", () => {
    const { bench, slot } = startKeyboard();
    const stalled = bench.control(slot, [0x80, 6, 9, 9, 0, 0, 4, 0]);
    expect(stalled.map(({ code, endpoint }) => [code, endpoint])).toEqual([[Completion.Stall, 1]]);
    expect(bench.endpointPhase(slot, 1)).toBe(EndpointPhase.Halted);
    expect(bench.control(slot, [0x80, 6, 0, 1, 0, 0, 18, 0])).toEqual([]);
    const about = { control: (slot << 24) | (1 << 16) };
    expect(bench.command(TrbType.SetDequeue, about)[0]).toBe(Completion.ContextState);
    expect(bench.command(TrbType.ResetEndpoint, about)[0]).toBe(1);
    expect(bench.endpointPhase(slot, 1)).toBe(EndpointPhase.Stopped);
    const parameter = bench.dequeueOf(slot, 1);
    expect(bench.command(TrbType.SetDequeue, { ...about, parameter })[0]).toBe(1);
    expect(bench.read(slot, [0x80, 6, 0, 1, 0, 0, 18, 0]).length).toBe(18);
  });

  it("stops an endpoint and tells how far it was", () => {
    const { bench, keyboard, slot } = startKeyboard();
    bench.transfer(slot, 3, XHCI_DATA, 8);
    const about = { control: (slot << 24) | (3 << 16) };
    bench.queue(slot, 3, []);
    const block = bench.ram.u32(bench.contextOf(slot, 3) + 8) & ~15;
    bench.set(Part.Doorbells, 0);
    const before = bench.events();
    expect(before).toEqual([]);
    expect(bench.command(TrbType.StopEndpoint, about)[0]).toBe(1);
    expect(bench.endpointPhase(slot, 3)).toBe(EndpointPhase.Stopped);
    expect(bench.ram.u32(bench.contextOf(slot, 3) + 8)).toBe(block | 1);
    keyboard.key(A_KEY, true);
    expect(bench.events()).toEqual([]);
    // The doorbell starts it again where it was.
    bench.ring(slot, 3);
    expect(bench.events().map(({ code }) => code)).toEqual([1]);
    expect(bench.command(TrbType.StopEndpoint, about)[0]).toBe(1);
    expect(bench.command(TrbType.StopEndpoint, about)[0]).toBe(Completion.ContextState);
  });

  it("moves chains of blocks with immediate data and event data", () => {
    const { bench, slot } = startKeyboard();
    const chain = TrbBit.Chain;
    const setup = { type: TrbType.Setup, parameter: 0x0100_0680, high: 18 << 16, control: TrbBit.ImmediateData };
    bench.queue(slot, 1, [
      { ...setup, status: 8 },
      { type: TrbType.Data, parameter: XHCI_DATA, status: 5, control: chain | TrbBit.DirectionIn },
      { type: TrbType.Normal, parameter: XHCI_DATA + 0x100, status: 13, control: chain },
      { type: TrbType.EventData, parameter: 0x1234_5678, control: TrbBit.InterruptOnCompletion },
      { type: TrbType.Status, control: TrbBit.InterruptOnCompletion },
    ]);
    bench.ring(slot, 1);
    expect(bench.events().map(({ code, pointer, length }) => [code, length, pointer === 0x1234_5678])).toEqual([
      [1, 18, true],
      [1, 0, false],
    ]);
    const bytes = [...bench.bytes(XHCI_DATA, 5), ...bench.bytes(XHCI_DATA + 0x100, 13)];
    expect(bytes.slice(0, 8)).toEqual([18, 1, 0, 2, 0, 0, 0, 8]);
  });

  it("waits for a chain to be whole", () => {
    const { bench, keyboard, slot } = startKeyboard();
    keyboard.key(A_KEY, true);
    bench.queue(slot, 3, [{ type: TrbType.Normal, parameter: XHCI_DATA, status: 4, control: TrbBit.Chain }]);
    bench.ring(slot, 3);
    expect(bench.events()).toEqual([]);
    expect(bench.transfer(slot, 3, XHCI_DATA + 4, 4).map(({ code }) => code)).toEqual([1]);
    expect(bench.bytes(XHCI_DATA, 8)).toEqual([0, 0, 4, 0, 0, 0, 0, 0]);
  });

  it("interrupts by its pin, or by messages", () => {
    const { bench } = makeBench();
    bench.start();
    expect(bench.intx.level).toBe(true);
    bench.events();
    bench.set(bench.interrupter(Interrupt.Management), 3);
    expect(bench.intx.level).toBe(false);
    bench.useMessages();
    bench.command(TrbType.NoOpCommand);
    expect([bench.messages, bench.intx.level]).toEqual([[0], false]);
    bench.setOp(Op.Command, 1);
    bench.command(TrbType.NoOpCommand);
    expect(bench.messages).toEqual([0]);
    bench.setOp(Op.Command, 5);
    expect(bench.messages).toEqual([0, 0]);
  });

  it("does not interrupt while events are being handled, and then for those that came meanwhile", () => {
    const { bench, keyboard, slot } = startKeyboard();
    const management = bench.interrupter(Interrupt.Management);
    bench.events();
    bench.set(management, 3);
    bench.setOp(Op.Status, 8);
    keyboard.key(A_KEY, true);
    keyboard.key(A_KEY, false);
    for (const at of [0, 8])
      bench.queue(slot, 3, [
        { type: TrbType.Normal, parameter: XHCI_DATA + at, status: 8, control: TrbBit.InterruptOnCompletion },
      ]);
    bench.ring(slot, 3);
    expect([bench.intx.level, bench.op(Op.Status) & 8]).toEqual([true, 8]);
    // What a handler does: acknowledge, take one event, say so; the second one interrupts again.
    bench.setOp(Op.Status, 8);
    bench.set(management, 3);
    expect(bench.intx.level).toBe(false);
    const [first] = bench.events(true);
    expect(first?.code).toBe(1);
    const next = bench.get(bench.interrupter(Interrupt.DequeueLow)) + 16;
    bench.set(bench.interrupter(Interrupt.DequeueLow), next);
    expect([bench.intx.level, bench.op(Op.Status) & 8]).toEqual([true, 8]);
    bench.events();
    bench.setOp(Op.Status, 8);
    bench.set(management, 3);
    expect([bench.intx.level, bench.op(Op.Status) & 8]).toEqual([false, 0]);
  });

  it("holds work back while the event ring has no room, and then goes on", () => {
    const { bench, slot } = startKeyboard();
    const total = 2 * EVENT_SEGMENT_SIZE;
    for (let i = 0; i < total; i++) {
      bench.queue(slot, 1, [{ type: TrbType.NoOp, control: TrbBit.InterruptOnCompletion }]);
      bench.ring(slot, 1);
      // The transfer ring holds less than the event ring: once it is full the guest may not add to it.
      if (i % 24 === 23) bench.events(true);
    }
    const first = bench.events();
    expect(first.length).toBeLessThan(total);
    expect(first.length).toBeGreaterThan(total - 5);
    expect(first.every(({ code }) => code === 1)).toBe(true);
    expect(first.length + bench.events().length).toBe(total);
  });

  it("reads and writes blocks of a disk", () => {
    const { bench, store } = makeBench();
    bench.start();
    const slot = bench.configure(SUPER_PORT, DISK_ENDPOINTS);
    const wrapper = (tag: number, length: number, flags: number, command: readonly number[]): Uint8Array => {
      const bytes = new Uint8Array(31);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, 0x4342_5355, true);
      view.setUint32(4, tag, true);
      view.setUint32(8, length, true);
      bytes[12] = flags;
      bytes[14] = command.length;
      bytes.set(command, 15);
      return bytes;
    };
    const send = (bytes: Uint8Array): void => {
      bench.ram.write(XHCI_DATA, bytes);
      expect(bench.transfer(slot, 4, XHCI_DATA, bytes.length).map(({ code }) => code)).toEqual([1]);
    };
    const status = (): number[] => {
      expect(bench.transfer(slot, 3, XHCI_DATA, 13).map(({ code }) => code)).toEqual([1]);
      return bench.bytes(XHCI_DATA, 13);
    };
    send(wrapper(7, 0x1_4000, 0x80, [0x28, 0, 0, 0, 0, 2, 0, 0, 160, 0]));
    expect(bench.transfer(slot, 3, XHCI_DATA + 0x1000, 0x1_4000).map(({ code }) => code)).toEqual([1]);
    expect(bench.bytes(XHCI_DATA + 0x1000, 0x1_4000)).toEqual([...store.bytes.subarray(1024, 1024 + 0x1_4000)]);
    expect(status()).toEqual([0x55, 0x53, 0x42, 0x53, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
    send(wrapper(8, 1024, 0, [0x2a, 0, 0, 0, 0, 9, 0, 0, 2, 0]));
    send(new Uint8Array(1024).fill(0x5a));
    expect(status()[12]).toBe(0);
    expect(store.bytes.subarray(9 * 512, 11 * 512).every((byte) => byte === 0x5a)).toBe(true);
  });

  it("dies of rings that are not memory, until it is reset", () => {
    const { bench } = makeBench();
    bench.start();
    bench.set(bench.interrupter(Interrupt.TableLow), 0x9000_0000);
    bench.command(TrbType.NoOpCommand);
    expect(bench.op(Op.Status) & 0x1001).toBe(0x1001);
    bench.start();
    expect(bench.command(TrbType.NoOpCommand)).toEqual([1, 0]);
    bench.setOp(Op.Command, 0);
    bench.setOp(Op.CommandRingLow, 0x9000_0001);
    bench.setOp(Op.Command, 5);
    bench.set(Part.Doorbells, 0);
    expect(bench.op(Op.Status) & 0x1001).toBe(0x1001);
  });

  it("ends rings that loop, and goes on with them later only", () => {
    const { bench, clock, slot } = startKeyboard();
    // A link to itself.
    const about = { control: (slot << 24) | (3 << 16) };
    bench.command(TrbType.StopEndpoint, about);
    const at = XHCI_DATA + 0x2000;
    bench.ram.setU32(at, at);
    bench.ram.setU32(at + 12, (TrbType.Link << 10) | 1);
    bench.command(TrbType.SetDequeue, { ...about, parameter: at | 1 });
    bench.ring(slot, 3);
    expect(bench.events().map(({ code }) => code)).toEqual([Completion.TrbError]);
    expect(bench.endpointPhase(slot, 3)).toBe(EndpointPhase.Error);
    // A block that does nothing, and a link back to it: work without an end.
    bench.ram.setU32(at + 12, (TrbType.NoOp << 10) | 1);
    bench.ram.setU32(at + 16, at);
    bench.ram.setU32(at + 28, (TrbType.Link << 10) | 1);
    bench.command(TrbType.SetDequeue, { ...about, parameter: at | 1 });
    bench.ring(slot, 3);
    expect(bench.device.save().restDeadline).not.toBeNull();
    clock.advance(100_000);
    expect(bench.device.save().restDeadline).not.toBeNull();
    // Others are served meanwhile.
    expect(bench.read(slot, [0x80, 6, 0, 1, 0, 0, 18, 0]).length).toBe(18);
    bench.command(TrbType.StopEndpoint, about);
    clock.advance(100_000);
    expect(bench.device.save().waiting).toEqual([]);
  });

  it("ends chains that have no end", () => {
    const { bench, slot } = startKeyboard();
    const at = XHCI_DATA + 0x2000;
    bench.ram.setU32(at + 8, 0x1_ffff);
    bench.ram.setU32(at + 12, (TrbType.Normal << 10) | TrbBit.Chain | 1);
    bench.ram.setU32(at + 16, at);
    bench.ram.setU32(at + 28, (TrbType.Link << 10) | TrbBit.Chain | 1);
    const about = { control: (slot << 24) | (3 << 16) };
    bench.command(TrbType.StopEndpoint, about);
    bench.command(TrbType.SetDequeue, { ...about, parameter: at | 1 });
    bench.ring(slot, 3);
    expect(bench.events().map(({ code }) => code)).toEqual([Completion.TrbError]);
  });

  it("survives half-valid rings and contexts", () => {
    const random = randomSource(11);
    const { bench, clock, keyboard } = makeBench();
    let alive = 0;
    for (let round = 0; round < 300; round++) {
      bench.start();
      const keyboardSlot = bench.configure(1, [KEYBOARD_ENDPOINT]);
      const diskSlot = bench.configure(SUPER_PORT, DISK_ENDPOINTS);
      for (let i = 0; i < 40; i++) {
        const wild = random() % 8 === 0;
        const parameter = wild ? random() : XHCI_DATA + (random() % 64) * 16;
        const status = wild ? random() : random() % 2048;
        const control = random() & 0x1ff_03fe;
        const [slot, index] =
          random() % 2 === 0 ? [keyboardSlot, [1, 3][random() % 2]!] : [diskSlot, [1, 3, 4][random() % 3]!];
        bench.queue(slot, index, [{ type: (random() % 9) as TrbType, parameter, status, control }]);
        if (random() % 4 === 0) bench.ring(slot, index);
        if (random() % 8 === 0) keyboard.key(random() & 0x7f, random() % 2 === 0);
        const type = (9 + (random() % 16)) as TrbType;
        const about = ((random() % 4) << 24) | ((random() % 6) << 16) | (random() % 2 === 0 ? 0x200 : 0);
        if (random() % 3 === 0) bench.command(type, { parameter: wild ? random() : 0x8000, control: about });
        if (random() % 8 === 0)
          bench.ram.setU32(0x8000 + (random() % 80) * 4, random() % 3 === 0 ? random() : random() & 15);
        if (random() % 32 === 0) bench.ram.setU32(0x1000 + (random() % 8) * 8, random());
        clock.advance(random() % 200_000);
      }
      if ((bench.op(Op.Status) & 0x1000) === 0) alive++;
    }
    expect(alive).toBeGreaterThan(200);
  });

  it("goes on after a restore in the middle of a transfer", async () => {
    const { bench, disk, store, device } = { ...makeBench(), device: null };
    expect(device).toBeNull();
    bench.start();
    const slot = bench.configure(SUPER_PORT, DISK_ENDPOINTS);
    store.slow = true;
    const cbw = new Uint8Array(31);
    cbw.set([0x55, 0x53, 0x42, 0x43, 1, 0, 0, 0, 0, 4, 0, 0, 0x80, 0, 10, 0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0]);
    bench.ram.write(XHCI_DATA, cbw);
    bench.transfer(slot, 4, XHCI_DATA, 31);
    expect(bench.transfer(slot, 3, XHCI_DATA + 0x1000, 1024)).toEqual([]);
    expect(store.pending).toBe(1);
    let rested = false;
    const pause = bench.device.pause().then(() => (rested = true));
    await Promise.resolve();
    expect(rested).toBe(false);
    await store.answer();
    await pause;
    const saved = bench.device.save();
    // The same machine, as its copy would find it: nothing is known of what the store has answered.
    bench.device.reset();
    bench.device.restore(saved);
    bench.place();
    expect(disk.configured).toBe(true);
    store.slow = false;
    bench.device.resume();
    expect(bench.events().map(({ code }) => code)).toEqual([1]);
    expect(bench.bytes(XHCI_DATA + 0x1000, 1024)).toEqual([...store.bytes.subarray(3 * 512, 5 * 512)]);
  });
});
