// SPDX-License-Identifier: Apache-2.0
import type { GuestRam, IoHandler, IrqLine } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { allOnes } from "../access-width.js";
import { checkState, type Device, type Pausable } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { Command as PciCommand, Header } from "../pci/registers.js";
import { WorkUnderWay } from "../work-under-way.js";
import { AtapiCdrom } from "./atapi-cdrom.js";
import { type DriveOptions, IdeChannel } from "./channel.js";
import {
  BUS_MASTER_PORTS,
  IDE_CHANNELS,
  IDE_TIMING,
  PIIX3_IDE_IDENTITY,
  SLAVE_TIMING,
  TIMING_DECODE,
} from "./registers.js";
import type { IdeState } from "./state.js";

export interface IdePorts {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  /** Interrupts of the two channels: 14 and 15. */
  readonly irqs: readonly [IrqLine, IrqLine];
}

/** The IDE function of the PIIX3: two channels in compatibility mode, with bus masters. */
export class Ide implements Device<IdeState>, Pausable {
  readonly pci: PciFunction;
  readonly channels: readonly IdeChannel[];
  private readonly underWay = new WorkUnderWay();

  /** @param drives primary master, primary slave, secondary master, secondary slave */
  constructor(ports: IdePorts, drives: readonly (DriveOptions | null)[]) {
    this.pci = new PciFunction(ports.spaces, PIIX3_IDE_IDENTITY);
    const { config } = this.pci;
    config.set16(IDE_TIMING, TIMING_DECODE, 0xffff);
    config.set16(IDE_TIMING + 2, TIMING_DECODE, 0xffff);
    config.set32(SLAVE_TIMING, 0, 0xffff_ffff);
    this.channels = IDE_CHANNELS.map(
      (_, i) =>
        new IdeChannel(
          {
            ram: ports.ram,
            irq: ports.irqs[i],
            decodes: () => this.decodes(i),
            mayMaster: () => this.pci.busMaster,
            underWay: this.underWay,
          },
          drives.slice(2 * i, 2 * i + 2),
        ),
    );
    this.pci.addBar({ index: 4, kind: "io", size: 2 * BUS_MASTER_PORTS, handler: this.busMasterHandler() });
    this.pci.seal();
  }

  reset(): void {
    this.pci.reset();
    for (const channel of this.channels) channel.reset();
  }

  save(): IdeState {
    return {
      device: "ide",
      version: 1,
      pci: this.pci.save(),
      channels: this.channels.map((channel) => channel.save()),
    };
  }

  restore(state: IdeState): void {
    checkState(state, "ide", 1);
    this.pci.restore(state.pci);
    this.channels.forEach((channel, i) => channel.restore(state.channels[i]));
  }

  /** Resolves when the stores have answered everything. The guest does not run meanwhile, so nothing new begins. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
  }

  /** Puts another disc, or none, into the CD drive in position `unit` (0-3); false if there is no CD drive. */
  changeDisc(unit: number, disc: BlockStore | null): boolean {
    const drive = this.channels[unit >> 1]?.drives[unit & 1];
    if (!(drive instanceof AtapiCdrom)) return false;
    drive.changeDisc(disc);
    return true;
  }

  private decodes(channel: number): boolean {
    const { config } = this.pci;
    const timing = config.get16(IDE_TIMING + 2 * channel);
    return (config.get16(Header.Command) & PciCommand.Io) !== 0 && (timing & TIMING_DECODE) !== 0;
  }

  private busMasterHandler(): IoHandler {
    const of = (offset: number): IoHandler | undefined => this.channels[offset >> 3]?.busMaster.handler;
    return {
      read: (offset, size) => of(offset)?.read(offset & 7, size) ?? allOnes(size),
      write: (offset, size, value) => of(offset)?.write(offset & 7, size, value),
    };
  }
}
