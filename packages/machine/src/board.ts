// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  type AcpiPm,
  Ahci,
  type ApicBus,
  type DriveOptions,
  E1000,
  FW_CFG_PORT,
  FW_CFG_PORTS,
  FwCfg,
  FwCfgKey,
  type I8042,
  I8042_COMMAND_PORT,
  I8042_DATA_PORT,
  Ioapic,
  IOAPIC_MMIO_SIZE,
  type PciFunction,
  Nvme,
  type PciHost,
  Pic8259,
  Pit8254,
  Rtc,
  Rtl8139,
  SYSTEM_PORT_A,
  Uart16550,
  type Vga,
  VirtioBalloon,
  VirtioBlk,
  VirtioFs,
  type VirtioFunction,
  VirtioGpu,
  VirtioKeyboard,
  VirtioNet,
  VirtioPci,
  VirtioTablet,
  Xhci,
  VirtioVsock,
} from "@isola/devices";
import type { PhysicalMap } from "@isola/isa-x86";
import type { Bus, GuestRam, IrqLine } from "@isola/memory";
import type { BlockStore, ByteSink, Entropy, FileTree, NetLink } from "@isola/ports";
import { type DriveConfig, type MachineConfig, parseMac } from "./config.js";
import type { NetworkCounterValues, SerialCounterValues } from "./counters.js";
import { GatedLine } from "./gated-line.js";
import { absolutePointer, InputRouter } from "./input-router.js";
import { InterruptWiring } from "./interrupt-wiring.js";
import type { MachineClock } from "./machine-clock.js";
import type { MachinePorts } from "./machine-ports.js";
import { ObservedSink } from "./observed-sink.js";
import { ObservedStore } from "./observed-store.js";
import { IOAPIC_ADDRESS, PortBase, RTC_IRQ, SERIAL_PORTS } from "./memory-layout.js";
import { addOptionalDevice } from "./optional-devices.js";
import type { PlacedFunction } from "./pci-setup.js";
import type { StopRequest } from "./scheduler.js";
import type { TimerQueue } from "./timer-queue.js";
import { makeUsbDevice } from "./usb-devices.js";

/** What the board is built into. */
export interface BoardContext {
  readonly config: MachineConfig;
  readonly ports: MachinePorts;
  readonly entropy: Entropy;
  readonly ram: GuestRam;
  readonly physical: PhysicalMap;
  readonly io: Bus;
  readonly mmio: Bus;
  readonly clock: MachineClock;
  readonly timers: TimerQueue;
  readonly apics: ApicBus;
  /** LINT0 of the first vCPU: where the 8259 pair interrupts. */
  readonly lint0: IrqLine;
  stop(request: StopRequest): void;
  onSerialReady(port: number): void;
}

const NOWHERE: ByteSink = { write: () => {} };
/** Network cards have slots from here down, so that a card's name in the guest does not depend on the number of disks. */
export const LAST_SLOT = 31;
/** Interrupt of the 8254. */
export const TIMER_IRQ = 0;

/** What all boards have in common: interrupt controllers, timers, serial ports, and ways to add more. */
export abstract class Board {
  readonly pic: Pic8259;
  readonly ioapic: Ioapic;
  abstract readonly power: AcpiPm;
  /** The display, and the keyboard and mouse, of boards that have them. */
  abstract readonly vga: Vga | null;
  abstract readonly input: I8042 | null;
  /** The virtio display and the balloon, if the configuration asks for them. */
  readonly gpu: VirtioGpu | null;
  readonly balloon: VirtioBalloon | null;
  /** Leads keys and movements to the devices. */
  readonly inputs = new InputRouter();
  readonly uarts: readonly Uart16550[];
  /** Opens streams into the guest; null without a vsock device. */
  vsock: VirtioVsock | null = null;
  /** The stores behind the disks, in the order in which they were added. */
  readonly stores: ObservedStore[] = [];
  private readonly trees: FileTree[] = [];
  private readonly cards: { readonly counts: NetworkCounterValues }[] = [];
  /** What the serial ports transmit. */
  readonly sinks: readonly ObservedSink[];
  protected abstract readonly pci: PciHost;
  protected readonly wiring: InterruptWiring;
  /** Interrupts of the 8254 and the real-time clock, which another timer may take over. */
  protected readonly timerLine: GatedLine;
  protected readonly clockLine: GatedLine;
  protected readonly rtc: Rtc;
  protected readonly pit: Pit8254;
  protected readonly firmwareData: FwCfg;
  /** Functions on the PCI bus beside those of the chip set. */
  protected readonly functions: PlacedFunction[] = [];
  private readonly resets: (() => void)[] = [];
  private readonly serialBytesIn: number[];

  constructor(protected readonly context: BoardContext) {
    const { config, io, mmio, clock, timers } = context;
    this.pic = new Pic8259(context.lint0);
    io.map(PortBase.PicMaster, 2, this.pic.masterHandler, "pic8259");
    io.map(PortBase.PicSlave, 2, this.pic.slaveHandler, "pic8259");
    io.map(PortBase.Elcr, 2, this.pic.elcrHandler, "pic8259");
    this.ioapic = new Ioapic(context.apics);
    mmio.map(IOAPIC_ADDRESS, IOAPIC_MMIO_SIZE, this.ioapic.handler, "ioapic");
    this.wiring = new InterruptWiring(this.pic, this.ioapic);

    this.timerLine = new GatedLine(this.wiring.isa(TIMER_IRQ));
    this.clockLine = new GatedLine(this.wiring.isa(RTC_IRQ));
    this.pit = new Pit8254(this.timerLine, timers);
    io.map(PortBase.Pit, 4, this.pit.handler, "pit8254");
    io.map(PortBase.SystemControlB, 1, this.pit.port61Handler, "pit8254");
    this.rtc = new Rtc(this.clockLine, clock, timers);
    io.map(PortBase.Rtc, 4, this.rtc.handler, "rtc");
    this.firmwareData = this.addFirmwareConfiguration();
    this.addResets(this.pic, this.ioapic, this.pit, this.rtc, this.firmwareData);

    const serial = SERIAL_PORTS.slice(0, config.serialPorts);
    this.sinks = serial.map((_, index) => new ObservedSink(context.ports.serial[index] ?? NOWHERE));
    this.uarts = serial.map(({ port, irq }, index) => {
      const uart = new Uart16550({
        irq: this.wiring.isa(irq),
        sink: this.sinks[index],
        timers,
        onReceiveReady: () => context.onSerialReady(index),
      });
      io.map(port, 8, uart.handler, `serial${index}`);
      return uart;
    });
    this.serialBytesIn = this.uarts.map(() => 0);
    this.addResets(...this.uarts);
    this.gpu = config.gpu === null ? null : new VirtioGpu({ ...config.gpu, timers });
    this.balloon = config.balloon === null ? null : this.makeBalloon(config.balloon);
    for (const name of config.devices) {
      const device = addOptionalDevice(name, {
        io,
        mmio,
        wiring: this.wiring,
        console: this.sinks[0] ?? NOWHERE,
        debugExit: (status) => context.stop({ kind: "debug-exit", status }),
      });
      this.addResets(device);
    }
  }

  /** Power-on state. */
  reset(): void {
    for (const reset of this.resets) reset();
    this.wiring.reset();
    this.inputs.reset();
  }

  /** Offers bytes to a serial port; returns how many it took. */
  serialInput(port: number, bytes: Uint8Array): number {
    const taken = this.uarts[port]?.receive(bytes) ?? 0;
    if (taken > 0) this.serialBytesIn[port] += taken;
    return taken;
  }

  serialCounters(): SerialCounterValues[] {
    return this.sinks.map((sink, port) => ({ bytesOut: sink.bytes, bytesIn: this.serialBytesIn[port] }));
  }

  networkCounters(): NetworkCounterValues[] {
    return this.cards.map(({ counts }) => ({ ...counts }));
  }

  async close(): Promise<void> {
    this.vsock?.close();
    for (const store of this.stores) {
      await store.flush();
      await store.close();
    }
    for (const tree of this.trees) await tree.close();
  }

  /** The wire of INTA# to INTD# (`pin` 0-3) of PCI device `slot`. */
  protected abstract pciPin(slot: number, pin: number): IrqLine;

  /** Devices that go back to their power-on state with the machine, in this order. */
  protected addResets(...devices: readonly { reset(): void }[]): void {
    for (const device of devices) this.resets.push(() => device.reset());
  }

  protected addKeyboardController(controller: I8042): void {
    const { io } = this.context;
    io.map(I8042_DATA_PORT, 1, controller.dataHandler, "i8042");
    io.map(I8042_COMMAND_PORT, 1, controller.commandHandler, "i8042");
    io.map(SYSTEM_PORT_A, 1, controller.portAHandler, "i8042");
    this.addResets(controller);
  }

  /** Takes a store of the host by name, to be counted and closed with the machine. */
  protected openStore(name: string): ObservedStore {
    const { ports } = this.context;
    const store: BlockStore | undefined = ports.stores[name];
    if (store === undefined) throw new OperatorError("no-such-store", `the host has no disk "${name}"`);
    const observed = new ObservedStore(store, () => ports.clock.now());
    this.stores.push(observed);
    return observed;
  }

  /** Tells the operator of the first error of a disk's store: a guest that meets a full disk meets it at every write. */
  protected warnOnce(disk: string): (error: unknown) => void {
    let told = false;
    return (error) => {
      if (told) return;
      told = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.context.ports.log.warn(`disk "${disk}": ${reason}; the guest sees an I/O error`);
    };
  }

  /** Adds the disks of the configuration, their controllers and that for USB, from PCI slot `slot` on; returns the next free slot. */
  protected addDisks(slot: number): number {
    const { config, io, mmio, ram, timers, apics: msi } = this.context;
    const spaces = { ports: io, mmio };
    config.disks.forEach((disk, i) => {
      const store = this.openStore(disk.store);
      const device = new VirtioBlk({ ...disk, store, onStoreError: this.warnOnce(disk.serial) });
      this.addVirtio(slot++, device, `disk${i}`);
    });
    config.nvme.forEach(({ store: name, serial }, i) => {
      const store = this.openStore(name);
      const shared = { spaces, ram, msi, intx: this.pciPin(slot, 0), name: `nvme${i}` };
      this.addFunction(slot++, new Nvme({ ...shared, store, serial, onStoreError: this.warnOnce(serial) }));
    });
    if (config.sata.length > 0) {
      const drives = config.sata.map((drive, port) => this.openDrive(drive, port));
      this.addFunction(slot, new Ahci({ spaces, ram, msi, intx: this.pciPin(slot, 0), name: "ahci" }, drives));
      slot++;
    }
    if (config.usb.length > 0) {
      const devices = config.usb.map((one) =>
        makeUsbDevice(one, {
          timers,
          inputs: this.inputs,
          openStore: (name) => this.openStore(name),
          warnOnce: (disk) => this.warnOnce(disk),
        }),
      );
      const intx = this.pciPin(slot, 0);
      this.addFunction(slot, new Xhci({ spaces, ram, msi, intx, timers, devices, name: "xhci" }));
      slot++;
    }
    return this.addVirtioExtras(slot);
  }

  /** Input devices, display and balloon on virtio. */
  private addVirtioExtras(first: number): number {
    let slot = first;
    for (const kind of this.context.config.virtioInputs) {
      if (kind === "keyboard") {
        const keyboard = new VirtioKeyboard();
        this.inputs.addKeyboard(keyboard);
        this.addVirtio(slot++, keyboard, "virtio-keyboard");
      } else {
        const tablet = new VirtioTablet();
        this.inputs.addPointer(absolutePointer(tablet));
        this.addVirtio(slot++, tablet, "virtio-tablet");
      }
    }
    if (this.gpu !== null) this.addVirtio(slot++, this.gpu, "virtio-gpu");
    if (this.balloon !== null) this.addVirtio(slot++, this.balloon, "virtio-balloon");
    return slot;
  }

  private makeBalloon(target: number): VirtioBalloon {
    const { ram, ports, timers } = this.context;
    const release = (address: number, length: number): boolean => ram.release(address, length, ports.reclaim);
    return new VirtioBalloon({ memory: ram.size, target, timers, release });
  }

  /** The drive on unit or port `unit` of a controller. */
  protected openDrive(drive: DriveConfig, unit: number): DriveOptions {
    const onStoreError = this.warnOnce(drive.kind === "disk" ? drive.serial : `CD ${unit}`);
    if (drive.kind === "disk") return { ...drive, store: this.openStore(drive.store), onStoreError };
    return { ...drive, store: drive.store === null ? null : this.openStore(drive.store), onStoreError };
  }

  protected addVirtio<State>(slot: number, fn: VirtioFunction<State>, name: string): void {
    const { io, mmio, ram, apics, ports } = this.context;
    const device = new VirtioPci(fn, {
      spaces: { ports: io, mmio },
      ram,
      msi: apics,
      intx: this.pciPin(slot, 0),
      name,
      onFailure: (reason) => ports.log.warn(`virtio device ${slot}: the guest's driver broke the rules: ${reason}`),
    });
    this.addFunction(slot, device);
  }

  /** Adds the shared folders of the configuration from PCI slot `slot` on; returns the next free slot. */
  protected addShares(slot: number): number {
    const { config, ports } = this.context;
    config.shares.forEach(({ tree: name, tag }, i) => {
      const tree = ports.trees?.[name];
      if (tree === undefined) throw new OperatorError("no-such-folder", `the host has no folder "${name}"`);
      this.trees.push(tree);
      this.addVirtio(slot + i, new VirtioFs({ tag, tree }), `share${i}`);
    });
    return slot + config.shares.length;
  }

  /** Adds the vsock device, if the configuration has one, in PCI slot `slot`; returns the next free slot. */
  protected addVsock(slot: number): number {
    const { config, ports } = this.context;
    if (config.vsock === null) return slot;
    const device = new VirtioVsock({ ...config.vsock, listener: ports.vsock ?? { accept: () => null } });
    this.vsock = device;
    this.addVirtio(slot, device, "vsock");
    return slot + 1;
  }

  /** Adds the network cards of the configuration. */
  protected addNetworkCards(): void {
    const { config, io, mmio, ram, timers } = this.context;
    config.networks.forEach(({ card, link, mac }, i) => {
      const options = { link: this.linkOf(link), mac: parseMac(mac) ?? [] };
      const [slot, name] = [LAST_SLOT - i, `network${i}`];
      if (card !== "virtio") {
        const parts = { ...options, spaces: { ports: io, mmio }, ram, timers, intx: this.pciPin(slot, 0), name };
        const nic = card === "e1000" ? new E1000(parts) : new Rtl8139(parts);
        this.cards.push(nic);
        this.addFunction(slot, nic);
        return;
      }
      const nic = new VirtioNet(options);
      this.cards.push(nic);
      this.addVirtio(slot, nic, name);
    });
  }

  private linkOf(name: string): NetLink {
    const link = this.context.ports.links?.[name];
    if (link === undefined) throw new OperatorError("no-such-network", `the host has no network "${name}"`);
    return link;
  }

  protected addFunction(slot: number, device: { readonly pci: PciFunction; reset(): void }): void {
    this.pci.attach(slot, 0, device.pci);
    this.functions.push({ slot, fn: device.pci });
    this.addResets(device);
  }

  private addFirmwareConfiguration(): FwCfg {
    const { io, ram, config } = this.context;
    const device = new FwCfg(ram);
    device.setNumber(FwCfgKey.ramSize, config.memory, 8);
    device.setNumber(FwCfgKey.cpuCount, config.cpus, 2);
    device.setNumber(FwCfgKey.maxCpus, config.cpus, 2);
    io.map(FW_CFG_PORT, FW_CFG_PORTS, device.handler, "fw-cfg");
    return device;
  }
}
