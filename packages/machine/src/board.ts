// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  AcpiPm,
  type ApicBus,
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
  PciHost,
  Pic8259,
  Pit8254,
  PM_BLOCK_SIZE,
  Rtc,
  SYSTEM_PORT_A,
  Uart16550,
  VirtioBlk,
  type VirtioFunction,
  VirtioPci,
  VirtioRng,
} from "@isola/devices";
import type { Bus, GuestRam, IrqLine } from "@isola/memory";
import type { BlockStore, ByteSink, Entropy } from "@isola/ports";
import type { MachineConfig } from "./config.js";
import { InterruptWiring } from "./interrupt-wiring.js";
import type { MachineClock } from "./machine-clock.js";
import type { MachinePorts } from "./machine-ports.js";
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

function storeOf(ports: MachinePorts, name: string): BlockStore {
  const store = ports.stores[name];
  if (store === undefined) throw new OperatorError("no-such-store", `the host has no disk "${name}"`);
  return store;
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
  private readonly stores: BlockStore[] = [];

  constructor(private readonly context: BoardContext) {
    const { config, ports, io, mmio, clock, timers } = context;
    this.pic = new Pic8259(context.lint0);
    io.map(PortBase.PicMaster, 2, this.pic.masterHandler);
    io.map(PortBase.PicSlave, 2, this.pic.slaveHandler);
    io.map(PortBase.Elcr, 2, this.pic.elcrHandler);
    this.ioapic = new Ioapic(context.apics);
    mmio.map(IOAPIC_ADDRESS, IOAPIC_MMIO_SIZE, this.ioapic.handler);
    this.wiring = new InterruptWiring(this.pic, this.ioapic);

    const pit = new Pit8254(this.wiring.isa(TIMER_IRQ), timers);
    io.map(PortBase.Pit, 4, pit.handler);
    io.map(PortBase.SystemControlB, 1, pit.port61Handler);
    const rtc = new Rtc(this.wiring.isa(RTC_IRQ), clock, timers);
    io.map(PortBase.Rtc, 4, rtc.handler);
    this.power = new AcpiPm(this.wiring.isa(SCI_IRQ), timers, {
      powerOff: () => context.stop({ kind: "power-off" }),
      resetRequested: () => context.stop({ kind: "reset" }),
    });
    io.map(PortBase.PowerManagement, PM_BLOCK_SIZE, this.power.handler);

    this.pci = new PciHost({ ports: io, mmio });
    io.map(PortBase.PciConfig, 8, this.pci.configHandler);
    mmio.map(ECAM, ECAM_BUS_SIZE, this.pci.ecamHandler);
    // Later mappings win, so the reset register is not shadowed by the configuration ports around it.
    io.map(PortBase.ResetControl, 1, this.power.resetHandler);

    this.uarts = SERIAL_PORTS.slice(0, config.serialPorts).map(({ port, irq }, index) => {
      const uart = new Uart16550({
        irq: this.wiring.isa(irq),
        sink: ports.serial[index] ?? NOWHERE,
        timers,
        onReceiveReady: () => context.onSerialReady(index),
      });
      io.map(port, 8, uart.handler);
      return uart;
    });
    const keyboard = this.addKeyboardController();
    const firmwareData = this.addFirmwareConfiguration();
    const optional = config.devices.map((name) =>
      addOptionalDevice(name, {
        io,
        mmio,
        wiring: this.wiring,
        console: ports.serial[0] ?? NOWHERE,
        debugExit: (status) => context.stop({ kind: "debug-exit", status }),
      }),
    );
    const fixed = [this.pic, this.ioapic, pit, rtc, this.power, this.pci, keyboard, firmwareData, ...this.uarts];
    for (const device of [...fixed, ...optional]) this.resets.push(() => device.reset());

    this.addVirtio(ENTROPY_SLOT, new VirtioRng(context.entropy));
    config.disks.forEach((disk, i) => {
      const store = storeOf(ports, disk.store);
      this.stores.push(store);
      this.addVirtio(FIRST_DISK_SLOT + i, new VirtioBlk({ ...disk, store, onStoreError: this.warnOnce(disk.serial) }));
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
    io.map(I8042_DATA_PORT, 1, controller.dataHandler);
    io.map(I8042_COMMAND_PORT, 1, controller.commandHandler);
    io.map(SYSTEM_PORT_A, 1, controller.portAHandler);
    return controller;
  }

  private addFirmwareConfiguration(): FwCfg {
    const { io, ram, config } = this.context;
    const device = new FwCfg(ram);
    device.setNumber(FwCfgKey.ramSize, config.memory, 8);
    device.setNumber(FwCfgKey.cpuCount, config.cpus, 2);
    device.setNumber(FwCfgKey.maxCpus, config.cpus, 2);
    io.map(FW_CFG_PORT, FW_CFG_PORTS, device.handler);
    return device;
  }

  private addVirtio<State>(slot: number, fn: VirtioFunction<State>): void {
    const { io, mmio, ram, apics, ports } = this.context;
    const device = new VirtioPci(fn, {
      spaces: { ports: io, mmio },
      ram,
      msi: apics,
      intx: this.wiring.pci(slot, 0),
      onFailure: (reason) => ports.log.warn(`virtio device ${slot}: the guest's driver broke the rules: ${reason}`),
    });
    this.pci.attach(slot, 0, device.pci);
    this.functions.push({ slot, fn: device.pci });
    this.resets.push(() => device.reset());
  }
}
