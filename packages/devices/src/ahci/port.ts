// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { copyState } from "../device.js";
import { AtapiCdrom } from "../ide/atapi-cdrom.js";
import type { DriveOptions } from "../ide/channel.js";
import type { DmaEngine, DriveHost, IdeDrive } from "../ide/drive.js";
import { BUFFER_SIZE, PACKET_SIZE, Status } from "../ide/registers.js";
import type { WorkUnderWay } from "../work-under-way.js";
import { AhciCommand, type MoveFailure } from "./command.js";
import { QueuedCommands } from "./queued-commands.js";
import { ReceivedFis } from "./received-fis.js";
import {
  CONTROL_SOFT_RESET,
  DETECT_MASK,
  DETECT_OFF,
  DETECT_RESET,
  ERROR_EXCHANGED,
  ERROR_PHY_READY,
  FIS_IS_COMMAND,
  INTERRUPT_BITS,
  LINK_UP,
  MIRRORED_INTERRUPTS,
  NO_DEVICE,
  PortCommand,
  PortInterrupt,
  PortReg,
  SataCommand,
  SLOTS,
} from "./registers.js";
import { SataDisk } from "./sata-disk.js";
import { portReset, type PortState, type QueueError } from "./state.js";

export interface PortHost {
  readonly ram: GuestRam;
  /** Whether the function may access memory. */
  mayMaster(): boolean;
  /** What the controller's stores work on; no new command may start while it is paused. */
  readonly underWay: WorkUnderWay;
  /** The port has a new reason to interrupt, or an old one less. */
  interruptChanged(raised: boolean): void;
}

/** A port with its drive, if it has one: registers, and the command list that they point to. */
export class AhciPort implements DriveHost {
  readonly drive: IdeDrive | null;
  /** The regions of the current command. */
  readonly busMaster: DmaEngine = {
    ready: () => this.current !== null && this.failure === null,
    move: (bytes, toMemory) => this.move(bytes, toMemory),
    interrupted: () => {},
    finished: () => {},
  };
  private readonly queue: QueuedCommands | null;
  private s: PortState;
  private current: AhciCommand | null = null;
  private failure: MoveFailure | null = null;
  /** The last data of the current command went to the host by PIO: how many bytes there were. */
  private pioBytes = 0;
  private running = false;

  constructor(
    private readonly host: PortHost,
    options: DriveOptions | null,
  ) {
    this.queue = null;
    if (options === null) this.drive = null;
    else if (options.kind === "cdrom") this.drive = new AtapiCdrom(this, options);
    else {
      const disk = new SataDisk(this, options);
      this.drive = disk;
      this.queue = new QueuedCommands(disk, {
        done: (tag) => this.queuedDone(tag),
        failed: (error) => this.queuedFailed(error),
        stuck: (failure) => this.fatal(failure),
        began: () => this.began(),
        ended: () => this.ended(),
      });
    }
    this.s = portReset();
    this.resetDrive();
  }

  /** Whether it has a reason to interrupt that software wants to hear of. */
  get interrupting(): boolean {
    return (this.interruptStatus & this.s.interruptEnable) !== 0;
  }

  reset(): void {
    this.s = portReset();
    this.resetDrive();
  }

  save(): PortState {
    const queueError = this.drive instanceof SataDisk ? this.drive.queueError : null;
    return copyState({ ...this.s, drive: this.drive?.save() ?? null, queueError });
  }

  restore(state: PortState): void {
    this.s = copyState(state);
    this.current = null;
    this.failure = null;
    this.queue?.reset();
    if (this.drive !== null && state.drive !== null) this.drive.restore(state.drive);
    if (this.drive instanceof SataDisk) this.drive.queueError = copyState(state.queueError);
    this.s.drive = null;
    this.s.queueError = null;
  }

  /** Starts what waits in the list. */
  run(): void {
    if (this.running) return;
    this.running = true;
    while (this.startNext());
    this.running = false;
  }

  /** The drive's wire leads nowhere: what it has done is looked at after every step. */
  interruptChanged(): void {}

  began(): void {
    this.host.underWay.began();
  }

  ended(): void {
    this.pump();
    this.run();
    this.host.underWay.ended();
  }

  read(offset: number): number {
    const { s } = this;
    switch (offset) {
      case PortReg.CommandList:
      case PortReg.CommandListHigh:
        return s.commandList[(offset >> 2) & 1];
      case PortReg.FisBase:
      case PortReg.FisBaseHigh:
        return s.fisBase[(offset >> 2) & 1];
      case PortReg.InterruptStatus:
        return this.interruptStatus;
      case PortReg.InterruptEnable:
        return s.interruptEnable;
      case PortReg.Command:
        return this.commandRegister();
      case PortReg.TaskFile:
        return s.taskFile;
      case PortReg.Signature:
        return s.signature;
      case PortReg.SataStatus:
        return s.sataStatus;
      case PortReg.SataControl:
        return s.sataControl;
      case PortReg.SataError:
        return s.sataError;
      case PortReg.SataActive:
        return s.sataActive;
      case PortReg.CommandIssue:
        return s.commandIssue;
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    const { s } = this;
    switch (offset) {
      case PortReg.CommandList:
        s.commandList[0] = (value & ~0x3ff) >>> 0;
        return;
      case PortReg.CommandListHigh:
        s.commandList[1] = value;
        return;
      case PortReg.FisBase:
        s.fisBase[0] = (value & ~0xff) >>> 0;
        return;
      case PortReg.FisBaseHigh:
        s.fisBase[1] = value;
        return;
      case PortReg.InterruptStatus:
        s.interruptStatus &= ~value;
        return this.host.interruptChanged(false);
      case PortReg.InterruptEnable:
        s.interruptEnable = (value & INTERRUPT_BITS) >>> 0;
        return this.host.interruptChanged(true);
      case PortReg.Command:
        return this.writeCommand(value);
      case PortReg.SataControl:
        return this.writeControl(value);
      case PortReg.SataError:
        s.sataError = (s.sataError & ~value) >>> 0;
        return this.host.interruptChanged(false);
      case PortReg.SataActive:
        if (this.started) s.sataActive = (s.sataActive | value) >>> 0;
        return;
      case PortReg.CommandIssue:
        if (!this.started) return;
        s.commandIssue = (s.commandIssue | value) >>> 0;
        return this.run();
      default:
        return;
    }
  }

  private get started(): boolean {
    return (this.s.command & PortCommand.Start) !== 0;
  }

  private get interruptStatus(): number {
    const { interruptStatus, sataError } = this.s;
    const exchanged = (sataError & ERROR_EXCHANGED) !== 0 ? PortInterrupt.ConnectChange : 0;
    const phy = (sataError & ERROR_PHY_READY) !== 0 ? PortInterrupt.PhyReady : 0;
    return ((interruptStatus & ~MIRRORED_INTERRUPTS) | exchanged | phy) >>> 0;
  }

  private get received(): ReceivedFis | null {
    if ((this.s.command & PortCommand.FisEnable) === 0 || !this.host.mayMaster()) return null;
    return new ReceivedFis(this.host.ram, addressOf(this.s.fisBase));
  }

  private commandRegister(): number {
    const { command, slot } = this.s;
    const fis = (command & PortCommand.FisEnable) !== 0 ? PortCommand.FisRunning : 0;
    const list = this.started ? PortCommand.ListRunning | (slot << PortCommand.SlotShift) : 0;
    return (command | PortCommand.SpinUp | PortCommand.PowerOn | fis | list) >>> 0;
  }

  private writeCommand(value: number): void {
    const { s } = this;
    const before = s.command;
    s.command = value & PortCommand.Writable;
    if ((value & PortCommand.ListOverride) !== 0) s.taskFile &= ~(Status.Busy | Status.DataRequest);
    if ((s.command & PortCommand.FisEnable) !== 0) this.greet();
    if ((before & PortCommand.Start) !== 0 && !this.started) this.stop();
    this.run();
  }

  /** Software has stopped the list: what was in it is forgotten (3.3.14). */
  private stop(): void {
    const { s } = this;
    s.commandIssue = 0;
    s.sataActive = 0;
    s.slot = 0;
    s.halted = false;
    this.current = null;
    this.failure = null;
    this.queue?.reset();
  }

  private writeControl(value: number): void {
    const { s } = this;
    const before = s.sataControl & DETECT_MASK;
    s.sataControl = value & 0xfff;
    const now = value & DETECT_MASK;
    if (now === before) return;
    if (now === DETECT_RESET || now === DETECT_OFF) {
      s.sataStatus = now === DETECT_OFF ? DETECT_OFF : 0;
      s.taskFile = NO_DEVICE;
    } else if (now === 0 && this.drive !== null) {
      this.resetDrive();
      s.sataError |= ERROR_EXCHANGED | ERROR_PHY_READY;
      this.host.interruptChanged(true);
    }
  }

  private resetDrive(): void {
    this.stop();
    this.s.softReset = false;
    this.drive?.reset();
    this.link();
  }

  /** The link is up, and the drive says what it is. */
  private link(): void {
    if (this.drive === null) return;
    this.s.sataStatus = LINK_UP;
    this.announce();
  }

  private announce(): void {
    const { s, drive } = this;
    if (drive === null) return;
    const { count, lbaLow, lbaMid, lbaHigh, status, error } = drive.s;
    s.signature = (count[0] | (lbaLow[0] << 8) | (lbaMid[0] << 16) | (lbaHigh[0] << 24)) >>> 0;
    s.taskFile = status | (error << 8);
    s.greeting = true;
    this.greet();
  }

  private greet(): void {
    const { received } = this;
    if (received === null || this.drive === null || !this.s.greeting) return;
    this.s.greeting = false;
    received.register(this.drive.s, false);
  }

  private raise(cause: number): void {
    this.s.interruptStatus = (this.s.interruptStatus | cause) >>> 0;
    this.host.interruptChanged((this.s.interruptEnable & cause) !== 0);
  }

  /** Takes one entry of the list; false if there is none, or none that may be started now. */
  private startNext(): boolean {
    const { s, drive } = this;
    if (this.current !== null || s.halted || !this.started || drive === null || this.host.underWay.paused) return false;
    const slot = nextSlot(s.commandIssue, s.slot);
    if (slot < 0) return false;
    const command = new AhciCommand(this.host.ram, addressOf(s.commandList), slot, () => this.host.mayMaster());
    const { fis } = command;
    const queued = fis[2] === SataCommand.ReadFpdmaQueued || fis[2] === SataCommand.WriteFpdmaQueued;
    const isCommand = (fis[1] & FIS_IS_COMMAND) !== 0;
    if (this.queue?.busy === true && !(isCommand && queued)) return false;
    s.slot = slot;
    if (!command.valid) {
      this.fatal("bus");
      return false;
    }
    if (!isCommand) {
      this.clear(slot);
      this.deviceControl(fis[15]);
    } else if (queued && this.queue !== null) {
      this.clear(slot);
      this.queue.start(command);
    } else this.startCommand(command, drive);
    return true;
  }

  /** A FIS that only writes device control: the soft reset bit. */
  private deviceControl(control: number): void {
    const wanted = (control & CONTROL_SOFT_RESET) !== 0;
    if (this.s.softReset && !wanted) {
      this.drive?.softReset();
      this.announce();
    }
    this.s.softReset = wanted;
  }

  private startCommand(command: AhciCommand, drive: IdeDrive): void {
    const { fis } = command;
    const { s } = drive;
    this.current = command;
    this.failure = null;
    this.pioBytes = 0;
    this.s.taskFile = Status.Busy;
    s.features = fis[3];
    s.lbaLow = [fis[4], fis[8]];
    s.lbaMid = [fis[5], fis[9]];
    s.lbaHigh = [fis[6], fis[10]];
    s.device = fis[7];
    s.count = [fis[12], fis[13]];
    drive.command(fis[2]);
    this.pump();
  }

  /** Serves the drive until it is busy with its store or done. */
  private pump(): void {
    const { drive } = this;
    while (this.current !== null && drive !== null) {
      if (this.failure !== null) return this.fatal(this.failure);
      const { status } = drive.s;
      if ((status & Status.Busy) !== 0) return;
      if ((status & Status.DataRequest) === 0) this.complete(drive);
      else this.serve(this.current, drive);
    }
  }

  /** Moves what the drive asks for. */
  private serve(command: AhciCommand, drive: IdeDrive): void {
    const { phase } = drive.s.transfer;
    switch (phase) {
      case "packet":
        return giveWords(drive, command.packet(PACKET_SIZE));
      case "pio-in": {
        const bytes = takeWords(drive);
        this.pioBytes = bytes.length;
        this.failure = command.move(bytes, true);
        return;
      }
      case "pio-out": {
        const { block, remaining } = drive.s.transfer;
        const bytes = new Uint8Array(Math.min(block, remaining, BUFFER_SIZE));
        this.failure = command.move(bytes, false);
        if (this.failure === null) giveWords(drive, bytes);
        return;
      }
      case "idle":
        return drive.softReset();
      default:
        return drive.pumpDma();
    }
  }

  private move(bytes: Uint8Array, toMemory: boolean): boolean {
    if (this.current === null) return false;
    this.failure = this.current.move(bytes, toMemory);
    return this.failure === null;
  }

  private complete(drive: IdeDrive): void {
    const { status, error } = drive.s;
    const failed = (status & Status.Error) !== 0;
    this.s.taskFile = status | (error << 8);
    this.current = null;
    if (failed) this.s.halted = true;
    else this.clear(this.s.slot);
    // The last block of a disk's PIO read is announced before it moves, and nothing follows it (Serial ATA 3.0, 11.7).
    if (!failed && this.pioBytes > 0 && this.queue !== null) {
      this.received?.pioSetup(drive.s, status | Status.DataRequest, status, this.pioBytes, true);
      return this.raise(PortInterrupt.PioSetup);
    }
    this.received?.register(drive.s, true);
    this.raise(PortInterrupt.DeviceToHost | (failed ? PortInterrupt.TaskFileError : 0));
  }

  private clear(slot: number): void {
    this.s.commandIssue = (this.s.commandIssue & ~(1 << slot)) >>> 0;
  }

  /** Memory was at fault: the list stands still until software stops it (6.2.2). */
  private fatal(failure: MoveFailure): void {
    this.current = null;
    this.failure = null;
    this.s.halted = true;
    this.raise(failure === "overflow" ? PortInterrupt.Overflow : PortInterrupt.HostBusFatal);
  }

  private queuedDone(tag: number): void {
    const { s } = this;
    s.sataActive = (s.sataActive & ~(1 << tag)) >>> 0;
    s.taskFile = Status.Ready | Status.SeekComplete;
    this.received?.setDeviceBits(s.taskFile, 0, (1 << tag) >>> 0);
    this.raise(PortInterrupt.SetDeviceBits);
  }

  private queuedFailed(error: QueueError): void {
    if (this.drive instanceof SataDisk) this.drive.queueError = error;
    this.s.halted = true;
    this.s.taskFile = error.status | (error.error << 8);
    this.received?.setDeviceBits(error.status, error.error, 0);
    this.raise(PortInterrupt.SetDeviceBits | PortInterrupt.TaskFileError);
  }
}

function addressOf(halves: readonly [number, number]): number {
  return halves[1] * 2 ** 32 + halves[0];
}

/** The next slot with a command behind `last`, or -1. */
function nextSlot(issued: number, last: number): number {
  for (let i = 1; i <= SLOTS; i++) {
    const slot = (last + i) % SLOTS;
    if ((issued & (1 << slot)) !== 0) return slot;
  }
  return -1;
}

/** Takes what the drive has for the host, up to the size of its buffer. */
function takeWords(drive: IdeDrive): Uint8Array {
  const bytes = new Uint8Array(BUFFER_SIZE);
  let length = 0;
  const wants = (): boolean => drive.s.transfer.phase === "pio-in" && (drive.s.status & Status.DataRequest) !== 0;
  while (length < BUFFER_SIZE && wants()) {
    const word = drive.readData();
    bytes[length++] = word & 0xff;
    bytes[length++] = word >> 8;
  }
  return bytes.subarray(0, length);
}

function giveWords(drive: IdeDrive, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += 2) drive.writeData(bytes[i] | (bytes[i + 1] << 8));
}
