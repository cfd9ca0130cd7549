// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { AccessSize, GuestRam, IoHandler, IrqLine, MsiSink } from "@isola/memory";
import type { Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device, type Pausable } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { Msix, MSIX_REGION_SIZE } from "../pci/msix.js";
import { ENDPOINT_IN, type UsbDevice, UsbSpeed } from "../usb/device.js";
import { type CommandTarget, executeCommand } from "./commands.js";
import { COMMANDS, doorbellOf, Doorbells } from "./doorbells.js";
import { Interrupter, type XhciEvent } from "./interrupter.js";
import { Port } from "./port.js";
import {
  CAPABILITIES,
  CommandRing,
  Completion,
  ENDPOINTS,
  EndpointPhase,
  EVENT_ROOM,
  INTERRUPTER_SPAN,
  INTERRUPTER_START,
  INTERRUPTERS,
  MICROFRAME,
  MICROFRAMES,
  MSIX_BAR,
  Op,
  Part,
  PORT_SPAN,
  PORTS,
  PORTS_OF_KIND,
  REGISTER_BAR,
  REGISTER_SPACE,
  SBRN,
  SBRN_USB3,
  SLOTS,
  TrbType,
  UsbCommand,
  UsbStatus,
  XHCI_IDENTITY,
} from "./registers.js";
import { Slots } from "./slots.js";
import type { RingState, XhciState } from "./state.js";
import { type Budget, type EndpointContext, Transfers } from "./transfers.js";
import { advance, fetch } from "./trb.js";

export interface XhciOptions {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  readonly msi: MsiSink;
  /** INTA#, used while MSI-X is off. */
  readonly intx: IrqLine;
  readonly timers: Timers;
  /** What is plugged in: at most {@link PORTS_OF_KIND} super speed devices and as many others. */
  readonly devices: readonly UsbDevice[];
  readonly name?: string;
}

/** An extensible host controller with its root hub. `pci` goes into a slot of the `PciHost`. */
export class Xhci implements Device<XhciState>, Pausable {
  readonly pci: PciFunction;
  /** BAR 0: all registers. */
  readonly registerHandler: IoHandler = {
    read: (offset, size) => partOf(this.readRegister(offset & ~3), offset, size),
    write: (offset, size, value) => this.writeRegister(offset, size, value),
  };
  /** BAR 4: MSI-X table and pending bits. */
  readonly msix: Msix;
  private readonly interrupters: readonly Interrupter[];
  private readonly ports: readonly Port[];
  private readonly slots: Slots;
  private readonly transfers: Transfers;
  private readonly commandTarget: CommandTarget;
  private readonly doorbells: Doorbells;
  private command = 0;
  private status: number = UsbStatus.Halted;
  private notifications = 0;
  private configure = 0;
  private commandRing: RingState = { address: 0, cycle: true };
  private commandRingRunning = false;
  private commandRingHigh = 0;
  private contexts: [low: number, high: number] = [0, 0];
  private frameStart = 0;
  private paused = false;

  constructor(private readonly options: XhciOptions) {
    const { spaces, ram, msi, intx, timers, name } = options;
    this.pci = new PciFunction(spaces, { ...XHCI_IDENTITY, ...(name !== undefined && { name }) });
    this.pci.addBar({ index: REGISTER_BAR, kind: "memory64", size: REGISTER_SPACE, handler: this.registerHandler });
    this.msix = new Msix(this.pci, INTERRUPTERS, MSIX_BAR, msi);
    this.pci.addBar({ index: MSIX_BAR, kind: "memory32", size: MSIX_REGION_SIZE, handler: this.msix.handler });
    // Behind the capability, which ends before.
    this.pci.config.set8(SBRN, SBRN_USB3);
    this.pci.connectPin(1, intx);
    this.pci.seal();
    this.interrupters = Array.from(
      { length: INTERRUPTERS },
      (_, vector) =>
        new Interrupter({
          ram,
          busMaster: () => this.pci.busMaster,
          broken: () => this.die(),
          changed: (raise) => this.interruptChanged(vector, raise),
        }),
    );
    this.slots = new Slots(ram);
    this.transfers = new Transfers({
      ram,
      post: (interrupter, event) => this.post(interrupter, event),
      phaseChanged: ({ slot, index }) => {
        const found = this.slots.get(slot);
        if (found !== null) this.slots.show(found, index);
      },
    });
    this.ports = this.plug(options.devices);
    this.commandTarget = this.makeCommandTarget();
    this.doorbells = new Doorbells({
      timers,
      canWork: () => this.running && !this.paused && this.pci.busMaster && this.hasRoom(),
      work: (doorbell, budget) =>
        doorbell === COMMANDS ? this.runCommand(budget) : this.runEndpoint(doorbell, budget),
    });
  }

  reset(): void {
    this.pci.reset();
    this.msix.reset();
    for (const { device } of this.ports) device?.reset();
    this.resetController();
  }

  save(): XhciState {
    return copyState({
      device: "xhci",
      version: 1,
      pci: this.pci.save(),
      msix: this.msix.save(),
      command: this.command,
      status: this.status,
      notifications: this.notifications,
      configure: this.configure,
      commandRing: this.commandRing,
      commandRingRunning: this.commandRingRunning,
      commandRingHigh: this.commandRingHigh,
      contexts: this.contexts,
      frameStart: this.frameStart,
      interrupters: this.interrupters.map((one) => one.save()),
      ports: this.ports.map((port) => port.save()),
      slots: this.slots.save(),
      ...this.doorbells.save(),
      devices: this.ports.map(({ device }) => device?.save() ?? null),
    });
  }

  restore(saved: XhciState): void {
    checkState(saved, "xhci", 1);
    const state = copyState(saved);
    this.pci.restore(state.pci);
    this.msix.restore(state.msix);
    this.command = state.command;
    this.status = state.status;
    this.notifications = state.notifications;
    this.configure = state.configure;
    this.commandRing = state.commandRing;
    this.commandRingRunning = state.commandRingRunning;
    this.commandRingHigh = state.commandRingHigh;
    this.contexts = state.contexts;
    this.frameStart = state.frameStart;
    this.interrupters.forEach((one, i) => one.restore(state.interrupters[i]));
    this.ports.forEach((port, i) => {
      port.restore(state.ports[i]);
      const device = state.devices[i];
      if (device !== null && device !== undefined) port.device?.restore(device);
    });
    this.slots.restore(state.slots);
    this.doorbells.restore(state.waiting, state.restDeadline);
  }

  /** Resolves when no device waits for the host; what is in the rings stays there. */
  async pause(): Promise<void> {
    this.paused = true;
    for (const { device } of this.ports) await device?.pause?.();
  }

  resume(): void {
    this.paused = false;
    for (const { device } of this.ports) device?.resume?.();
    this.doorbells.serve();
  }

  private get running(): boolean {
    return (this.status & UsbStatus.Halted) === 0;
  }

  /** Gives each device the first free port of its kind. */
  private plug(devices: readonly UsbDevice[]): Port[] {
    const places: (UsbDevice | null)[] = Array.from({ length: PORTS }, () => null);
    for (const device of devices) {
      const first = device.speed === UsbSpeed.Super ? PORTS_OF_KIND : 0;
      const at = places.findIndex((one, i) => i >= first && i < first + PORTS_OF_KIND && one === null);
      assert(at >= 0, "more USB devices than ports");
      places[at] = device;
      device.connect({ wake: (endpoint) => this.wake(at + 1, endpoint) });
    }
    return places.map((device) => new Port(device, () => this.tellPorts()));
  }

  private makeCommandTarget(): CommandTarget {
    const controller = (): this => this;
    return {
      ram: this.options.ram,
      slots: this.slots,
      ports: this.ports,
      get allowedSlots() {
        return Math.min(controller().configure & 0xff, SLOTS);
      },
      get contextArray() {
        const [low, high] = controller().contexts;
        return high * 2 ** 32 + low;
      },
      stopped: (slot, index) => {
        const endpoint = this.endpointContext(slot, index);
        if (endpoint !== null) this.transfers.reportStop(endpoint);
        this.doorbells.forget(doorbellOf(slot, index));
      },
    };
  }

  private readRegister(offset: number): number {
    if (offset < Part.Operational) return CAPABILITIES[offset >> 2] ?? 0;
    if (offset < Part.Ports) return this.readOperational(offset - Part.Operational);
    if (offset < Part.Runtime) {
      const at = offset - Part.Ports;
      return at % PORT_SPAN === 0 ? (this.ports[at / PORT_SPAN]?.read() ?? 0) : 0;
    }
    if (offset >= Part.Doorbells) return 0;
    const at = offset - Part.Runtime - INTERRUPTER_START;
    if (at >= 0) return this.interrupters[Math.floor(at / INTERRUPTER_SPAN)]?.read(at % INTERRUPTER_SPAN) ?? 0;
    return offset === Part.Runtime ? this.microframe() : 0;
  }

  private readOperational(offset: number): number {
    switch (offset) {
      case Op.Command:
        return this.command;
      case Op.Status:
        return this.status;
      case Op.PageSize:
        // 4 KiB.
        return 1;
      case Op.Notifications:
        return this.notifications;
      case Op.CommandRingLow:
        // Nothing else of it can be read (5.4.5).
        return this.commandRingRunning ? CommandRing.Running : 0;
      case Op.ContextsLow:
      case Op.ContextsHigh:
        return this.contexts[offset === Op.ContextsHigh ? 1 : 0];
      case Op.Configure:
        return this.configure;
      default:
        return 0;
    }
  }

  /** Registers are written as whole dwords; a quad word comes as two of them. */
  private writeRegister(offset: number, size: AccessSize, value: number): void {
    if (size !== 4 || (offset & 3) !== 0 || offset < Part.Operational) return;
    if (offset < Part.Ports) return this.writeOperational(offset - Part.Operational, value);
    if (offset < Part.Runtime) {
      const at = offset - Part.Ports;
      if (at % PORT_SPAN === 0) this.ports[at / PORT_SPAN]?.write(value);
      return;
    }
    if (offset >= Part.Doorbells) return this.doorbell((offset - Part.Doorbells) >> 2, value & 0xff);
    const at = offset - Part.Runtime - INTERRUPTER_START;
    if (at < 0) return;
    this.interrupters[Math.floor(at / INTERRUPTER_SPAN)]?.write(at % INTERRUPTER_SPAN, value);
    // There may be room for events again.
    this.tellPorts();
    this.doorbells.serve();
  }

  private writeOperational(offset: number, value: number): void {
    switch (offset) {
      case Op.Command:
        return this.writeCommand(value);
      case Op.Status:
        this.status &= ~(value & UsbStatus.Clearable);
        return;
      case Op.Notifications:
        this.notifications = value & 0xffff;
        return;
      case Op.CommandRingLow:
        return this.writeCommandRing(value);
      case Op.CommandRingHigh:
        this.commandRingHigh = value;
        if (!this.commandRingRunning) this.commandRing.address = value * 2 ** 32 + (this.commandRing.address % 2 ** 32);
        return;
      case Op.ContextsLow:
        this.contexts[0] = (value & ~0x3f) >>> 0;
        return;
      case Op.ContextsHigh:
        this.contexts[1] = value;
        return;
      case Op.Configure:
        this.configure = value & 0xff;
        return;
      default:
        return;
    }
  }

  private writeCommand(value: number): void {
    if ((value & (UsbCommand.Reset | UsbCommand.LightReset)) !== 0) return this.resetController();
    // There is nothing to be saved inside, and so nothing that could be restored (4.23.2).
    if ((value & UsbCommand.RestoreState) !== 0) this.status |= UsbStatus.RestoreError;
    const wasRunning = this.running;
    const enabled = (value & ~this.command & UsbCommand.InterruptEnable) !== 0;
    this.command = value & UsbCommand.Kept;
    // What came while interrupts were off is told of now.
    this.interrupters.forEach(({ asserted }, vector) => this.interruptChanged(vector, enabled && asserted));
    const run = (value & UsbCommand.Run) !== 0 && (this.status & UsbStatus.ControllerError) === 0;
    if (run && !wasRunning) this.start();
    else if (!run && wasRunning) this.halt();
  }

  private start(): void {
    this.status &= ~UsbStatus.Halted;
    this.frameStart = this.options.timers.now();
    this.tellPorts();
    this.doorbells.serve();
  }

  private halt(): void {
    this.status |= UsbStatus.Halted;
    this.commandRingRunning = false;
  }

  private resetController(): void {
    this.command = 0;
    this.status = UsbStatus.Halted;
    this.notifications = 0;
    this.configure = 0;
    this.commandRing = { address: 0, cycle: true };
    this.commandRingRunning = false;
    this.commandRingHigh = 0;
    this.contexts = [0, 0];
    this.frameStart = 0;
    this.doorbells.reset();
    this.slots.reset();
    for (const interrupter of this.interrupters) interrupter.reset();
    for (const port of this.ports) port.reset();
    this.pci.setIntx(false);
  }

  private writeCommandRing(value: number): void {
    if (this.commandRingRunning) {
      if ((value & (CommandRing.Stop | CommandRing.Abort)) === 0) return;
      // Commands are carried out at once, so none is ever under way here (4.6.1.2).
      this.commandRingRunning = false;
      this.completeCommand(this.commandRing.address, Completion.CommandRingStopped, 0);
      return;
    }
    const address = this.commandRingHigh * 2 ** 32 + ((value & ~0x3f) >>> 0);
    this.commandRing = { address, cycle: (value & CommandRing.CycleState) !== 0 };
  }

  private doorbell(slot: number, target: number): void {
    if (!this.running) return;
    if (slot === 0) {
      if (target !== 0) return;
      this.commandRingRunning = true;
      return this.doorbells.ring(COMMANDS);
    }
    const state = this.slots.get(slot);
    const endpoint = this.slots.endpoint(slot, target);
    if (state === null || endpoint === null) return;
    if (endpoint.phase === EndpointPhase.Stopped) {
      endpoint.phase = EndpointPhase.Running;
      this.slots.show(state, target);
    }
    if (endpoint.phase === EndpointPhase.Running) this.doorbells.ring(doorbellOf(slot, target));
  }

  /** A device on a port may have something to say. */
  private wake(port: number, endpoint: number): void {
    const slot = this.slots.ofPort(port);
    const index = (endpoint & 15) * 2 + ((endpoint & ENDPOINT_IN) === 0 ? 0 : 1);
    if (slot !== 0) this.doorbells.ring(doorbellOf(slot, index));
  }

  private hasRoom(): boolean {
    return this.interrupters.every(({ room }) => room >= EVENT_ROOM);
  }

  private runCommand(budget: Budget): boolean {
    if (!this.commandRingRunning) return false;
    const { ram } = this.options;
    const trb = fetch(ram, this.commandRing);
    budget.left--;
    if (trb === "broken") {
      this.die();
      return false;
    }
    if (trb === "empty") return false;
    advance(this.commandRing);
    const { code, slot } = executeCommand(trb, this.commandTarget);
    this.completeCommand(trb.address, code, slot);
    return true;
  }

  private completeCommand(address: number, code: Completion, slot: number): void {
    this.post(0, {
      type: TrbType.CommandCompletion,
      code,
      low: address % 2 ** 32,
      high: Math.floor(address / 2 ** 32),
      control: (slot << 24) >>> 0,
    });
  }

  private runEndpoint(doorbell: number, budget: Budget): boolean {
    const endpoint = this.endpointContext(Math.floor(doorbell / ENDPOINTS), doorbell % ENDPOINTS);
    return endpoint !== null && this.transfers.step(endpoint, budget);
  }

  /** An endpoint that runs, or null. */
  private endpointContext(slot: number, index: number): EndpointContext | null {
    const state = this.slots.endpoint(slot, index);
    const port = this.slots.get(slot)?.port ?? 0;
    const device = this.ports[port - 1]?.device ?? null;
    if (state === null || device === null || state.phase !== EndpointPhase.Running) return null;
    return { slot, index, state, device };
  }

  /** Tells of ports that have changed, as many as there is room for (6.4.2.3). */
  private tellPorts(): void {
    this.ports.forEach((port, i) => {
      if (!port.hasNews || !this.running || !this.hasRoom()) return;
      port.told();
      this.status |= UsbStatus.PortChange;
      const low = ((i + 1) << 24) >>> 0;
      this.post(0, { type: TrbType.PortStatusChange, code: Completion.Success, low, high: 0 });
    });
  }

  private post(interrupter: number, event: XhciEvent): void {
    if (this.running) (this.interrupters[interrupter] ?? this.interrupters[0]).post(event);
  }

  /** A ring or table that is not memory: the controller stops until it is reset (4.24.1). */
  private die(): void {
    this.status |= UsbStatus.ControllerError;
    this.command &= ~UsbCommand.Run;
    this.halt();
  }

  private interruptChanged(vector: number, raise: boolean): void {
    const interrupter = this.interrupters[vector];
    if (raise) this.status |= UsbStatus.EventInterrupt;
    const asserted = interrupter.asserted && (this.command & UsbCommand.InterruptEnable) !== 0;
    if (this.msix.enabled) {
      this.pci.setIntx(false);
      if (!asserted || !raise) return;
      interrupter.messageSent();
      this.msix.notify(vector);
      return;
    }
    // Only the first interrupter has the pin (4.17).
    if (vector === 0) this.pci.setIntx(asserted);
  }

  private microframe(): number {
    if (!this.running) return 0;
    return Math.floor((this.options.timers.now() - this.frameStart) / MICROFRAME) % MICROFRAMES;
  }
}
