// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine } from "@isola/memory";
import { allOnes } from "../access-width.js";
import type { WorkUnderWay } from "../work-under-way.js";
import { AtaDisk, type DiskOptions } from "./ata-disk.js";
import { AtapiCdrom, type CdromOptions } from "./atapi-cdrom.js";
import { BusMaster } from "./bus-master.js";
import type { DriveHost, IdeDrive } from "./drive.js";
import { Command, Control, Device, Port, Status } from "./registers.js";
import type { ChannelState } from "./state.js";

export type DriveOptions = DiskOptions | CdromOptions;

export interface ChannelPorts {
  readonly ram: GuestRam;
  readonly irq: IrqLine;
  /** Whether the PCI function lets the channel decode its ports, and be bus master. */
  decodes(): boolean;
  mayMaster(): boolean;
  /** What the controller has under way outside the machine. */
  readonly underWay: WorkUnderWay;
}

/** One cable with up to two drives. Registers are written to both; the selected one answers and obeys. */
export class IdeChannel implements DriveHost {
  /** Eight ports of the command block. */
  readonly commandHandler: IoHandler = {
    read: (offset, size) => (this.ports.decodes() ? this.read(offset, size) : allOnes(size)),
    write: (offset, size, value) => {
      if (this.ports.decodes()) this.write(offset, size, value);
    },
  };
  /** The control block's one port. */
  readonly controlHandler: IoHandler = {
    read: (_offset, size) => (this.ports.decodes() ? this.status() : allOnes(size)),
    write: (_offset, _size, value) => {
      if (this.ports.decodes()) this.writeControl(value & 0xff);
    },
  };
  readonly busMaster: BusMaster;
  readonly drives: readonly (IdeDrive | null)[];
  private control = 0;
  private selected = 0;
  private asserted = false;

  constructor(
    private readonly ports: ChannelPorts,
    drives: readonly (DriveOptions | null)[],
  ) {
    this.busMaster = new BusMaster(
      ports.ram,
      () => ports.mayMaster(),
      () => this.current?.pumpDma(),
    );
    this.drives = [0, 1].map((index) => {
      const options = drives[index] ?? null;
      if (options === null) return null;
      return options.kind === "disk" ? new AtaDisk(this, options) : new AtapiCdrom(this, options);
    });
  }

  reset(): void {
    this.control = 0;
    this.selected = 0;
    this.busMaster.reset();
    for (const drive of this.drives) drive?.reset();
    this.interruptChanged();
  }

  save(): ChannelState {
    const { control, selected } = this;
    return {
      control,
      selected,
      drives: this.drives.map((drive) => drive?.save() ?? null),
      busMaster: this.busMaster.save(),
    };
  }

  restore(state: ChannelState): void {
    this.control = state.control;
    this.selected = state.selected;
    this.drives.forEach((drive, i) => {
      const saved = state.drives[i] ?? null;
      if (drive !== null && saved !== null) drive.restore(saved);
    });
    this.busMaster.restore(state.busMaster);
    this.asserted = this.interrupting();
  }

  interruptChanged(): void {
    const asserted = this.interrupting();
    if (asserted === this.asserted) return;
    this.asserted = asserted;
    this.ports.irq.set(asserted);
  }

  began(): void {
    this.ports.underWay.began();
  }

  ended(): void {
    this.ports.underWay.ended();
  }

  private get current(): IdeDrive | null {
    return this.drives[this.selected];
  }

  private interrupting(): boolean {
    return (this.control & Control.InterruptDisable) === 0 && this.current?.s.interrupt === true;
  }

  /** A drive that is not there leaves the bus to its pull-down resistors. */
  private status(): number {
    return this.current?.s.status ?? 0;
  }

  private read(offset: number, size: AccessSize): number {
    const drive = this.current;
    if (offset === Port.Data && size > 1) {
      if (drive === null) return allOnes(size);
      const low = drive.readData();
      return size === 2 ? low : (low | (drive.readData() << 16)) >>> 0;
    }
    if (drive === null) return 0;
    const { s } = drive;
    // What was written before the last write of a register, for 48-bit commands.
    const half = (this.control & Control.HighOrder) === 0 ? 0 : 1;
    switch (offset) {
      case Port.Data:
        return 0xff;
      case Port.Error:
        return s.error;
      case Port.Count:
        return s.count[half];
      case Port.LbaLow:
        return s.lbaLow[half];
      case Port.LbaMid:
        return s.lbaMid[half];
      case Port.LbaHigh:
        return s.lbaHigh[half];
      case Port.Device:
        return s.device | Device.Obsolete;
      default:
        s.interrupt = false;
        this.interruptChanged();
        return s.status;
    }
  }

  private write(offset: number, size: AccessSize, value: number): void {
    const byte = value & 0xff;
    if (offset === Port.Data) {
      if (size > 1) this.current?.writeData(value & 0xffff);
      if (size === 4) this.current?.writeData(value >>> 16);
    } else if (offset === Port.Status) {
      this.command(byte);
    } else {
      this.control &= ~Control.HighOrder;
      for (const drive of this.drives) if (drive !== null) this.writeRegister(drive, offset, byte);
      if (offset === Port.Device) this.selected = (byte & Device.Slave) === 0 ? 0 : 1;
      this.interruptChanged();
    }
  }

  private writeRegister({ s }: IdeDrive, offset: number, value: number): void {
    // A busy drive has taken its registers for the command (ATA-6, 7.x "Effect").
    if ((s.status & Status.Busy) !== 0 && offset !== Port.Device) return;
    switch (offset) {
      case Port.Error:
        s.features = value;
        break;
      case Port.Count:
        s.count = [value, s.count[0]];
        break;
      case Port.LbaLow:
        s.lbaLow = [value, s.lbaLow[0]];
        break;
      case Port.LbaMid:
        s.lbaMid = [value, s.lbaMid[0]];
        break;
      case Port.LbaHigh:
        s.lbaHigh = [value, s.lbaHigh[0]];
        break;
      case Port.Device:
        s.device = value;
        break;
      default:
        break;
    }
  }

  private command(command: number): void {
    this.control &= ~Control.HighOrder;
    if (command === Command.Diagnostic) {
      // Both drives carry it out, and drive 0 reports.
      this.selected = 0;
      for (const drive of this.drives) drive?.softReset();
    }
    const drive = this.current;
    if (drive === null) return;
    if ((drive.s.status & Status.Busy) !== 0 && command !== Command.DeviceReset) return;
    drive.command(command);
  }

  private writeControl(value: number): void {
    const before = this.control;
    this.control = value & (Control.InterruptDisable | Control.Reset | Control.HighOrder);
    if ((value & Control.Reset) !== 0 && (before & Control.Reset) === 0) {
      this.selected = 0;
      for (const drive of this.drives) {
        if (drive === null) continue;
        drive.softReset();
        drive.s.device = 0;
        drive.s.status = Status.Busy;
      }
    } else if ((value & Control.Reset) === 0 && (before & Control.Reset) !== 0) {
      for (const drive of this.drives) drive?.softReset();
    }
    this.interruptChanged();
  }
}
