// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  AcpiPm,
  type ApicBus,
  E1000,
  ECAM_BUS_SIZE,
  FW_CFG_PORT,
  FW_CFG_PORTS,
  FwCfg,
  FwCfgKey,
  I8042,
  I8042_COMMAND_PORT,
  I8042_DATA_PORT,
  Ioapic,
  IOAPIC_MMIO_SIZE,
  type PciFunction,
  PciHost,
  Pic8259,
  Pit8254,
  PM_BLOCK_SIZE,
  Rtc,
  SYSTEM_PORT_A,
  Uart16550,
  VirtioBlk,
  type VirtioFunction,
  VirtioNet,
  VirtioPci,
  VirtioRng,
} from "@isola/devices";
import type { Bus, GuestRam, IrqLine } from "@isola/memory";
import type { BlockStore, ByteSink, Entropy, NetLink } from "@isola/ports";
import { type MachineConfig, parseMac } from "./config.js";
import type { NetworkCounterValues, SerialCounterValues } from "./counters.js";
import { InterruptWiring } from "./interrupt-wiring.js";
import type { MachineClock } from "./machine-clock.js";
import type { MachinePorts } from "./machine-ports.js";
import { ObservedSink } from "./observed-sink.js";
import { ObservedStore } from "./observed-store.js";
import { ECAM, IOAPIC_ADDRESS, PortBase, RTC_IRQ, SCI_IRQ, SERIAL_PORTS } from "./memory-layout.js";
import { addOptionalDevice } from "./optional-devices.js";
import { assignPciResources, type PlacedFunction } from "./pci-setup.js";
import type { StopRequest } from "./scheduler.js";
import type { TimerQueue } from "./timer-queue.js";

/** What the board is built into. */
export interface BoardContext {
  readonly config: MachineConfig;
  readonly ports: MachinePorts;
  readonly entropy: Entropy;
  readonly ram: GuestRam;
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
const TIMER_IRQ = 0;
/** Interrupts 9, 10 and 11 are level-triggered, as firmware sets them up for ACPI and PCI. */
const ELCR_SLAVE = 0x0e;
const FIRST_DISK_SLOT = 2;
const ENTROPY_SLOT = 1;
const LAST_SLOT = 31;

function storeOf(ports: MachinePorts, name: string): BlockStore {
  const store = ports.stores[name];
  if (store === undefined) throw new OperatorError("no-such-store", `the host has no disk "${name}"`);
  return store;
}

function linkOf(ports: MachinePorts, name: string): NetLink {
  const link = ports.links?.[name];
  if (link === undefined) throw new OperatorError("no-such-network", `the host has no network "${name}"`);
  return link;
}

/** The devices of a `microvm` and their wires. */
export class Board {
  readonly pic: Pic8259;
  readonly ioapic: Ioapic;
  readonly power: AcpiPm;
  readonly uarts: readonly Uart16550[];
  private readonly pci: PciHost;
  private readonly wiring: InterruptWiring;
  private readonly functions: PlacedFunction[] = [];
  private readonly resets: (() => void)[] = [];
  private readonly serialBytesIn: number[];
  /** The stores behind the disks, in the order of the configuration. */
  readonly stores: ObservedStore[] = [];
  private readonly cards: { readonly counts: NetworkCounterValues }[] = [];
  /** What the serial ports transmit. */
  readonly sinks: readonly ObservedSink[];

  constructor(private readonly context: BoardContext) {
    const { config, ports, io, mmio, clock, timers } = context;
    this.pic = new Pic8259(context.lint0);
    io.map(PortBase.PicMaster, 2, this.pic.masterHandler, "pic8259");
    io.map(PortBase.PicSlave, 2, this.pic.slaveHandler, "pic8259");
    io.map(PortBase.Elcr, 2, this.pic.elcrHandler, "pic8259");
    this.ioapic = new Ioapic(context.apics);
    mmio.map(IOAPIC_ADDRESS, IOAPIC_MMIO_SIZE, this.ioapic.handler, "ioapic");
    this.wiring = new InterruptWiring(this.pic, this.ioapic);

    const pit = new Pit8254(this.wiring.isa(TIMER_IRQ), timers);
    io.map(PortBase.Pit, 4, pit.handler, "pit8254");
    io.map(PortBase.SystemControlB, 1, pit.port61Handler, "pit8254");
    const rtc = new Rtc(this.wiring.isa(RTC_IRQ), clock, timers);
    io.map(PortBase.Rtc, 4, rtc.handler, "rtc");
    this.power = new AcpiPm(this.wiring.isa(SCI_IRQ), timers, {
      powerOff: () => context.stop({ kind: "power-off" }),
      resetRequested: () => context.stop({ kind: "reset" }),
    });
    io.map(PortBase.PowerManagement, PM_BLOCK_SIZE, this.power.handler, "acpi-pm");

    this.pci = new PciHost({ ports: io, mmio });
    io.map(PortBase.PciConfig, 8, this.pci.configHandler, "pci");
    mmio.map(ECAM, ECAM_BUS_SIZE, this.pci.ecamHandler, "pci");
    // Later mappings win, so the reset register is not shadowed by the configuration ports around it.
    io.map(PortBase.ResetControl, 1, this.power.resetHandler, "acpi-pm");

    this.sinks = SERIAL_PORTS.slice(0, config.serialPorts).map(
      (_, index) => new ObservedSink(ports.serial[index] ?? NOWHERE),
    );
    this.uarts = SERIAL_PORTS.slice(0, config.serialPorts).map(({ port, irq }, index) => {
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
    const keyboard = this.addKeyboardController();
    const firmwareData = this.addFirmwareConfiguration();
    const optional = config.devices.map((name) =>
      addOptionalDevice(name, {
        io,
        mmio,
        wiring: this.wiring,
        console: this.sinks[0] ?? NOWHERE,
        debugExit: (status) => context.stop({ kind: "debug-exit", status }),
      }),
    );
    const fixed = [this.pic, this.ioapic, pit, rtc, this.power, this.pci, keyboard, firmwareData, ...this.uarts];
    for (const device of [...fixed, ...optional]) this.resets.push(() => device.reset());

    this.addVirtio(ENTROPY_SLOT, new VirtioRng(context.entropy), "virtio-rng");
    config.disks.forEach((disk, i) => {
      const store = new ObservedStore(storeOf(ports, disk.store), () => ports.clock.now());
      this.stores.push(store);
      const device = new VirtioBlk({ ...disk, store, onStoreError: this.warnOnce(disk.serial) });
      this.addVirtio(FIRST_DISK_SLOT + i, device, `disk${i}`);
    });
    // From the last slot down, so that a card's name in the guest does not depend on the number of disks.
    config.networks.forEach(({ card: kind, link, mac }, i) => {
      const options = { link: linkOf(ports, link), mac: parseMac(mac) ?? [] };
      const [slot, name] = [LAST_SLOT - i, `network${i}`];
      if (kind === "e1000") {
        const { ram } = context;
        const nic = new E1000({
          ...options,
          spaces: { ports: io, mmio },
          ram,
          timers,
          intx: this.wiring.pci(slot, 0),
          name,
        });
        this.cards.push(nic);
        this.addFunction(slot, nic);
        return;
      }
      const nic = new VirtioNet(options);
      this.cards.push(nic);
      this.addVirtio(slot, nic, name);
    });
  }

  /** Tells the operator of the first error of a disk's store: a guest that meets a full disk meets it at every write. */
  private warnOnce(serial: string): (error: unknown) => void {
    let told = false;
    return (error) => {
      if (told) return;
      told = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.context.ports.log.warn(`disk "${serial}": ${reason}; the guest sees an I/O error`);
    };
  }

  /** Power-on state, with what firmware would have set up. */
  reset(): void {
    for (const reset of this.resets) reset();
    this.wiring.reset();
    this.context.io.write(PortBase.Elcr + 1, 1, ELCR_SLAVE);
    assignPciResources(this.functions);
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
    for (const store of this.stores) {
      await store.flush();
      await store.close();
    }
  }

  /** Nothing is plugged in; guests reset the machine through it. */
  private addKeyboardController(): I8042 {
    const { io, stop } = this.context;
    const controller = new I8042({
      resetRequested: () => stop({ kind: "reset" }),
      // Address line 20 is always open here, as on PCs of this century.
      a20Changed: () => {},
    });
    io.map(I8042_DATA_PORT, 1, controller.dataHandler, "i8042");
    io.map(I8042_COMMAND_PORT, 1, controller.commandHandler, "i8042");
    io.map(SYSTEM_PORT_A, 1, controller.portAHandler, "i8042");
    return controller;
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

  private addVirtio<State>(slot: number, fn: VirtioFunction<State>, name: string): void {
    const { io, mmio, ram, apics, ports } = this.context;
    const device = new VirtioPci(fn, {
      spaces: { ports: io, mmio },
      ram,
      msi: apics,
      intx: this.wiring.pci(slot, 0),
      name,
      onFailure: (reason) => ports.log.warn(`virtio device ${slot}: the guest's driver broke the rules: ${reason}`),
    });
    this.addFunction(slot, device);
  }

  private addFunction(slot: number, device: { readonly pci: PciFunction; reset(): void }): void {
    this.pci.attach(slot, 0, device.pci);
    this.functions.push({ slot, fn: device.pci });
    this.resets.push(() => device.reset());
  }
}
