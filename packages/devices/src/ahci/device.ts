// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine, MsiSink } from "@isola/memory";
import { OperatorError } from "@isola/base";
import { partOf } from "../access-width.js";
import { checkState, type Device, type Pausable } from "../device.js";
import type { DriveOptions } from "../ide/channel.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { Msi } from "../pci/msi.js";
import { WorkUnderWay } from "../work-under-way.js";
import { AhciPort } from "./port.js";
import {
  ABAR,
  AHCI_IDENTITY,
  CAPABILITIES,
  Host,
  HostControl,
  MAX_PORTS,
  REGISTER_SPACE,
  VERSION,
} from "./registers.js";
import type { AhciState } from "./state.js";

export interface AhciPorts {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  readonly msi: MsiSink;
  /** INTA#, used while MSI is off. */
  readonly intx: IrqLine;
  readonly name?: string;
}

/** A SATA controller and its drives. `pci` goes into a slot of the `PciHost`. */
export class Ahci implements Device<AhciState>, Pausable {
  readonly pci: PciFunction;
  /** BAR 5: the registers. */
  readonly registerHandler: IoHandler = {
    read: (offset, size) => partOf(this.readRegister(offset & ~3), offset, size),
    write: (offset, size, value) => this.writeRegister(offset, size, value),
  };
  readonly ports: readonly AhciPort[];
  private readonly msi: Msi;
  private control = 0;
  private interruptStatus = 0;
  private readonly underWay = new WorkUnderWay();

  /** @param drives what is plugged into the ports, at most six */
  constructor(ports: AhciPorts, drives: readonly (DriveOptions | null)[]) {
    if (drives.length > MAX_PORTS)
      throw new OperatorError("too-many-drives", `an AHCI controller has ${MAX_PORTS} ports, not ${drives.length}`);
    const { spaces, ram, msi, intx, name } = ports;
    this.pci = new PciFunction(spaces, { ...AHCI_IDENTITY, ...(name !== undefined && { name }) });
    this.pci.addBar({ index: ABAR, kind: "memory32", size: REGISTER_SPACE, handler: this.registerHandler });
    this.msi = new Msi(this.pci, 0, msi);
    this.pci.connectPin(1, intx);
    this.pci.seal();
    this.ports = Array.from(
      { length: MAX_PORTS },
      (_, i) =>
        new AhciPort(
          {
            ram,
            mayMaster: () => this.pci.busMaster,
            underWay: this.underWay,
            interruptChanged: (raised) => this.interrupt(raised),
          },
          drives[i] ?? null,
        ),
    );
  }

  reset(): void {
    this.pci.reset();
    this.resetController();
  }

  save(): AhciState {
    return {
      device: "ahci",
      version: 1,
      pci: this.pci.save(),
      control: this.control,
      interruptStatus: this.interruptStatus,
      ports: this.ports.map((port) => port.save()),
    };
  }

  restore(state: AhciState): void {
    checkState(state, "ahci", 1);
    this.pci.restore(state.pci);
    this.control = state.control;
    this.interruptStatus = state.interruptStatus;
    this.ports.forEach((port, i) => port.restore(state.ports[i]));
  }

  /** Resolves when no command is under way; what is in the lists stays there. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
    for (const port of this.ports) port.run();
  }

  private resetController(): void {
    this.control = 0;
    this.interruptStatus = 0;
    for (const port of this.ports) port.reset();
    this.interruptStatus = 0;
    this.pci.setIntx(false);
  }

  /**
   * Drives the pin, or sends a message for a new cause. The bit of a port cannot be cleared while the port has a reason
   * to interrupt.
   */
  private interrupt(raised: boolean): void {
    const before = this.interruptStatus;
    this.ports.forEach((port, i) => {
      if (port.interrupting) this.interruptStatus |= 1 << i;
    });
    const wanted = (this.control & HostControl.InterruptEnable) !== 0 && this.interruptStatus !== 0;
    this.pci.setIntx(wanted && !this.msi.enabled);
    if (wanted && (raised || this.interruptStatus !== before)) this.msi.notify(0);
  }

  private readRegister(offset: number): number {
    if (offset >= Host.Ports) {
      const port = this.ports[Math.floor((offset - Host.Ports) / Host.PortSpan)];
      return port?.read(offset % Host.PortSpan) ?? 0;
    }
    switch (offset) {
      case Host.Capabilities:
        return CAPABILITIES + MAX_PORTS - 1;
      case Host.Control:
        return (this.control | HostControl.AhciEnable) >>> 0;
      case Host.InterruptStatus:
        return this.interruptStatus;
      case Host.PortsImplemented:
        return (1 << MAX_PORTS) - 1;
      case Host.Version:
        return VERSION;
      default:
        return 0;
    }
  }

  /** Registers may only be written as whole dwords. */
  private writeRegister(offset: number, size: AccessSize, value: number): void {
    if (size !== 4 || (offset & 3) !== 0) return;
    if (offset >= Host.Ports) {
      this.ports[Math.floor((offset - Host.Ports) / Host.PortSpan)]?.write(offset % Host.PortSpan, value);
      return;
    }
    if (offset === Host.Control) {
      if ((value & HostControl.Reset) !== 0) return this.resetController();
      this.control = value & HostControl.InterruptEnable;
      this.interrupt(true);
    } else if (offset === Host.InterruptStatus) {
      this.interruptStatus &= ~value;
      this.interrupt(this.interruptStatus !== 0);
    }
  }
}
