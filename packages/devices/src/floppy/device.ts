// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { checkState, copyState, type Device, type Pausable } from "../device.js";
import type { DmaChannel } from "../dma8237/device.js";
import { WorkUnderWay } from "../work-under-way.js";
import { type FloppyGeometry, floppyGeometry } from "./geometry.js";
import {
  Command,
  COMMAND_LENGTHS,
  DigitalOutput,
  DISK_CHANGED,
  DRIVES,
  ENHANCED_VERSION,
  IMPLIED_SEEK,
  LOCK_SET,
  MainStatus,
  MAX_CYLINDER,
  MULTI_TRACK,
  PART_ID,
  Port,
  RATE_MASK,
  RATE_RESET,
  RELATIVE_SEEK,
  RELATIVE_UP,
  SECTOR_CODE,
  SECTOR_SIZE,
  Status0,
  Status1,
  Status3,
} from "./registers.js";
import { type FloppyState, floppyResetState } from "./state.js";

export interface FloppyPorts {
  readonly irq: IrqLine;
  readonly dma: DmaChannel;
  /** Hears of each error of a disk's store; the guest only learns that its command failed. */
  readonly onStoreError?: (error: unknown) => void;
}

/** A sector on a disk, and the result bytes that name it. */
interface Position {
  cylinder: number;
  head: number;
  sector: number;
}

interface Disk {
  readonly store: BlockStore;
  readonly geometry: FloppyGeometry;
}

const MAX_TRANSFER = 2 * 36 * SECTOR_SIZE;

/** An 82077AA with two drives. Data goes by DMA; heads move, and commands end, in no time. */
export class Floppy implements Device<FloppyState>, Pausable {
  /** Ports 0x3F0-0x3F5. */
  readonly handler: IoHandler = {
    read: (offset) => this.readPort(offset),
    write: (offset, _size, value) => this.writePort(offset, value & 0xff),
  };
  /** Port 0x3F7. */
  readonly inputHandler: IoHandler = {
    read: () => (this.diskOf(this.selected) === null || this.s.drives[this.selected].changed ? DISK_CHANGED : 0),
    write: (_offset, _size, value) => {
      this.s.rate = value & RATE_MASK;
    },
  };
  private s: FloppyState = floppyResetState();
  private readonly disks: (Disk | null)[] = [null, null];
  private readonly buffer = new Uint8Array(MAX_TRANSFER);
  private generation = 0;
  private readonly underWay = new WorkUnderWay();

  constructor(private readonly ports: FloppyPorts) {}

  /** Puts a disk into drive 0 or 1, or takes it out; false if the image has no size that a floppy has. */
  changeDisk(drive: number, store: BlockStore | null): boolean {
    const geometry = store === null ? null : floppyGeometry(store.size);
    if (store !== null && geometry === null) return false;
    this.disks[drive] = store === null || geometry === null ? null : { store, geometry };
    this.s.drives[drive].changed = true;
    return true;
  }

  reset(): void {
    this.generation++;
    this.s = floppyResetState();
    this.ports.irq.set(false);
  }

  save(): FloppyState {
    return copyState(this.s);
  }

  restore(state: FloppyState): void {
    checkState(state, "floppy", 1);
    this.generation++;
    this.s = copyState(state);
  }

  /** Resolves when the stores have answered. The guest does not run meanwhile, so nothing new begins. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
  }

  private get selected(): number {
    return this.s.digitalOutput & 1;
  }

  private diskOf(drive: number): Disk | null {
    return this.disks[drive] ?? null;
  }

  private readPort(offset: number): number {
    const { s } = this;
    switch (offset) {
      case Port.DigitalOutput:
        return s.digitalOutput;
      case Port.TapeDrive:
        return s.tapeDrive;
      case Port.MainStatus:
        return this.mainStatus();
      case Port.Fifo:
        return this.readFifo();
      default:
        return 0;
    }
  }

  private writePort(offset: number, value: number): void {
    const { s } = this;
    switch (offset) {
      case Port.DigitalOutput:
        return this.writeDigitalOutput(value);
      case Port.TapeDrive:
        s.tapeDrive = value & 3;
        return;
      case Port.MainStatus:
        s.rate = value & RATE_MASK;
        if ((value & RATE_RESET) !== 0) this.softReset();
        return;
      case Port.Fifo:
        return this.writeFifo(value);
      default:
        return;
    }
  }

  private mainStatus(): number {
    const { s } = this;
    if ((s.digitalOutput & DigitalOutput.NotReset) === 0) return 0;
    if (s.phase === "execution") return MainStatus.Busy;
    if (s.phase === "result") return MainStatus.Request | MainStatus.ToHost | MainStatus.Busy;
    return MainStatus.Request | (s.command.length > 0 ? MainStatus.Busy : 0);
  }

  private writeDigitalOutput(value: number): void {
    const before = this.s.digitalOutput;
    this.s.digitalOutput = value;
    const resets = (value & DigitalOutput.NotReset) === 0;
    if (resets && (before & DigitalOutput.NotReset) !== 0) this.abandon();
    if (!resets && (before & DigitalOutput.NotReset) === 0) this.softReset();
    this.driveIrq();
  }

  private abandon(): void {
    this.generation++;
    const { s } = this;
    s.phase = "command";
    s.command = [];
    s.result = [];
    s.pending = [];
    s.interrupt = false;
    this.driveIrq();
  }

  /** After a reset each of four drives reports that it may have become ready (6.4, "Drive Polling"). */
  private softReset(): void {
    this.abandon();
    if (!this.s.lock) this.s.configure = [0, 0];
    this.s.pending = [0, 1, 2, 3].map((drive) => Status0.Polling | drive);
    this.interrupt();
  }

  private interrupt(): void {
    this.s.interrupt = true;
    this.driveIrq();
  }

  private driveIrq(): void {
    this.ports.irq.set(this.s.interrupt && (this.s.digitalOutput & DigitalOutput.DmaGate) !== 0);
  }

  private readFifo(): number {
    const { s } = this;
    if (s.phase !== "result") return 0;
    s.interrupt = false;
    this.driveIrq();
    const value = s.result.shift() ?? 0;
    if (s.result.length === 0) this.idle();
    return value;
  }

  private writeFifo(value: number): void {
    const { s } = this;
    if (s.phase !== "command" || (s.digitalOutput & DigitalOutput.NotReset) === 0) return;
    s.command.push(value);
    const length = COMMAND_LENGTHS[s.command[0] & 0x1f] ?? 1;
    if (s.command.length < length) return;
    s.phase = "execution";
    this.execute(s.command);
  }

  private idle(): void {
    this.s.phase = "command";
    this.s.command = [];
  }

  private answer(...result: number[]): void {
    this.s.phase = "result";
    this.s.result = result;
  }

  private execute(bytes: readonly number[]): void {
    const { s } = this;
    const [code, first = 0, second = 0, third = 0] = bytes;
    switch (code & 0x1f) {
      case Command.Read:
      case Command.ReadDeleted:
      case Command.ReadTrack:
        return this.transfer(bytes, "read");
      case Command.Write:
      case Command.WriteDeleted:
        return this.transfer(bytes, "write");
      case Command.Verify:
        return this.transfer(bytes, "verify");
      case Command.Format:
        return this.format(bytes);
      case Command.ReadId:
        return this.readId(first);
      case Command.Recalibrate:
        return this.seek(first, 0);
      case Command.Seek:
        return this.seek(first, this.seekTarget(code, first, second));
      case Command.SenseInterrupt:
        return this.senseInterrupt();
      case Command.SenseDrive:
        return this.answer(this.driveStatus(first));
      case Command.Specify:
        s.specify = [first, second];
        return this.idle();
      case Command.Configure:
        s.configure = [second, third];
        return this.idle();
      case Command.Perpendicular:
        s.perpendicular = first;
        return this.idle();
      case Command.Lock:
        s.lock = (code & LOCK_SET) !== 0;
        return this.answer(s.lock ? 0x10 : 0);
      case Command.Version:
        return this.answer(ENHANCED_VERSION);
      case Command.PartId:
        return this.answer(PART_ID);
      case Command.DumpRegisters:
        return this.dumpRegisters();
      default:
        return this.answer(Status0.Invalid);
    }
  }

  private dumpRegisters(): void {
    const { s } = this;
    const cylinders = [s.drives[0].cylinder, s.drives[1].cylinder, 0, 0];
    const sectors = this.diskOf(this.selected)?.geometry.sectors ?? 0;
    this.answer(...cylinders, ...s.specify, sectors, (s.lock ? 0x80 : 0) | s.perpendicular, ...s.configure);
  }

  private senseInterrupt(): void {
    const { s } = this;
    const status = s.pending.shift();
    s.interrupt = false;
    this.driveIrq();
    if (status === undefined) this.answer(Status0.Invalid);
    else this.answer(status, s.drives[status & 3]?.cylinder ?? 0);
  }

  private driveStatus(select: number): number {
    const drive = select & Status0.Drive;
    const disk = this.diskOf(drive);
    const track0 = s0(this.s.drives[drive]?.cylinder === 0, Status3.Track0);
    const writeProtected = s0(disk?.store.readOnly === true, Status3.WriteProtected);
    return (select & 7) | Status3.TwoSides | Status3.Ready | track0 | writeProtected;
  }

  private seekTarget(code: number, select: number, cylinder: number): number {
    if ((code & RELATIVE_SEEK) === 0) return cylinder;
    const from = this.s.drives[select & 1].cylinder;
    return from + ((code & RELATIVE_UP) !== 0 ? cylinder : -cylinder);
  }

  /** Steps the head, which also ends the disk's being new if there is one; the interrupt is fetched by another command. */
  private seek(select: number, cylinder: number): void {
    const number = select & Status0.Drive;
    const present = number < DRIVES;
    if (present) this.moveHead(number, cylinder);
    const failed = !present ? Status0.Abnormal | Status0.EquipmentCheck : 0;
    // The head bit is always zero here (82077AA data sheet, 5.2.3).
    this.s.pending = [Status0.SeekEnd | failed | number];
    this.idle();
    this.interrupt();
  }

  private moveHead(number: number, cylinder: number): void {
    const drive = this.s.drives[number];
    drive.cylinder = Math.max(0, Math.min(cylinder, MAX_CYLINDER));
    if (this.diskOf(number) !== null) drive.changed = false;
  }

  private readId(select: number): void {
    const disk = this.diskOf(select & Status0.Drive);
    const head = (select & Status0.Head) >> 2;
    const cylinder = this.s.drives[select & 1].cylinder;
    const readable =
      disk !== null && head < disk.geometry.heads && cylinder < disk.geometry.cylinders && this.rateFits(disk);
    this.finish(select, readable ? 0 : Status1.MissingMark, { cylinder, head, sector: 1 });
  }

  /** Whether the data rate is the one at which the disk was written: software finds out the format by it. */
  private rateFits({ geometry: { sectors, driveType } }: Disk): boolean {
    const { rate } = this.s;
    if (sectors >= 36) return rate === 3;
    if (sectors >= 15) return rate === 0;
    // 360K disks turn faster in a 1.2M drive.
    return rate === 2 || (rate === 1 && driveType === 1);
  }

  /** READ, WRITE and VERIFY: sectors from the given one on until the terminal count or the end of the cylinder. */
  private transfer(bytes: readonly number[], kind: "read" | "write" | "verify"): void {
    const [code, select, cylinder, head, sector, sizeCode, end] = bytes;
    const { s, ports } = this;
    const number = select & Status0.Drive;
    const disk = this.diskOf(number);
    const position = { cylinder, head, sector };
    if ((s.configure[0] & IMPLIED_SEEK) !== 0 && number < DRIVES) this.moveHead(number, cylinder);
    const error = this.positionError(disk, number, position, sizeCode);
    if (disk === null || error !== 0) return this.finish(select, error || Status1.MissingMark, position);
    if (kind === "write" && disk.store.readOnly) return this.finish(select, Status1.NotWritable, position);
    const last = Math.min(end, disk.geometry.sectors);
    const multiTrack = (code & MULTI_TRACK) !== 0;
    const heads = multiTrack ? disk.geometry.heads - head : 1;
    const possible = Math.max(0, heads * last - (sector - 1)) * SECTOR_SIZE;
    const wanted = kind === "verify" ? possible : ports.dma.available(kind === "read");
    const length = Math.min(possible, wanted, this.buffer.length);
    const stored = Math.ceil(length / SECTOR_SIZE) * SECTOR_SIZE;
    const data = this.buffer.subarray(0, stored);
    const start = offsetOf(disk.geometry, position);
    const done = (): void => {
      const complete =
        kind === "verify" || (kind === "read" ? ports.dma.transfer(data.subarray(0, length), true) : length >= wanted);
      // Status 0 tells of the head that read or wrote last, the position of the sector that comes next.
      const lastHead = length > 0 && sector - 1 + stored / SECTOR_SIZE > last ? 1 : head;
      advance(position, stored / SECTOR_SIZE, last, multiTrack);
      this.finish(number | (lastHead << 2), complete && length > 0 ? 0 : Status1.EndOfCylinder, position);
    };
    if (kind === "write") {
      // The rest of the last sector is filled with zeros.
      data.fill(0, length);
      ports.dma.transfer(data.subarray(0, length), false);
      this.later(select, position, () => writeInside(disk.store, start, data), done);
    } else this.later(select, position, () => readInside(disk.store, start, data), done);
  }

  /** FORMAT TRACK: what matters is that the sectors hold the filler afterwards; their headers cannot be strange ones. */
  private format(bytes: readonly number[]): void {
    const [, select, sizeCode, count, , filler] = bytes;
    const number = select & Status0.Drive;
    const disk = this.diskOf(number);
    const position = { cylinder: this.s.drives[select & 1].cylinder, head: (select & Status0.Head) >> 2, sector: 1 };
    const error = this.positionError(disk, number, position, sizeCode);
    if (disk === null || error !== 0) return this.finish(select, error || Status1.MissingMark, position);
    if (disk.store.readOnly) return this.finish(select, Status1.NotWritable, position);
    // Four bytes for each sector name it; they are taken and not looked at.
    const headers = Math.min(this.ports.dma.available(false), count * 4);
    this.ports.dma.transfer(this.buffer.subarray(0, headers), false);
    const data = this.buffer.subarray(0, Math.min(count, disk.geometry.sectors) * SECTOR_SIZE).fill(filler);
    const start = offsetOf(disk.geometry, position);
    this.later(
      select,
      position,
      () => writeInside(disk.store, start, data),
      () => this.finish(select, 0, position),
    );
  }

  /** Bits of status 1 that say why a sector cannot be found, or 0. */
  private positionError(
    disk: Disk | null,
    number: number,
    { cylinder, head, sector }: Position,
    sizeCode: number,
  ): number {
    if (disk === null || !this.rateFits(disk)) return Status1.MissingMark;
    const { geometry } = disk;
    const onTrack = this.s.drives[number].cylinder === cylinder && cylinder < geometry.cylinders;
    const onDisk = head < geometry.heads && sector >= 1 && sector <= geometry.sectors && sizeCode === SECTOR_CODE;
    return onTrack && onDisk ? 0 : Status1.NoData;
  }

  private finish(select: number, status1: number, { cylinder, head, sector }: Position): void {
    const failed = status1 === 0 ? 0 : Status0.Abnormal;
    this.answer((select & 7) | failed, status1, 0, cylinder, head, sector, SECTOR_CODE);
    this.interrupt();
  }

  /** Runs an operation of the store, then `next`, unless it fails or the controller is reset meanwhile. */
  private later(select: number, position: Position, operation: () => void | Promise<void>, next: () => void): void {
    const { generation } = this;
    const failed = (error: unknown): void => {
      this.ports.onStoreError?.(error);
      if (generation === this.generation) this.finish(select, Status1.DataError, position);
    };
    let result: void | Promise<void>;
    try {
      result = operation();
    } catch (error) {
      failed(error);
      return;
    }
    if (!(result instanceof Promise)) {
      next();
      return;
    }
    this.underWay.began();
    const arrived = (): void => {
      if (generation === this.generation) next();
    };
    void result.then(arrived, failed).then(() => this.underWay.ended());
  }
}

function s0(condition: boolean, bit: number): number {
  return condition ? bit : 0;
}

function offsetOf({ heads, sectors }: FloppyGeometry, { cylinder, head, sector }: Position): number {
  return ((cylinder * heads + head) * sectors + sector - 1) * SECTOR_SIZE;
}

/**
 * Where the controller is after `count` sectors: behind the last one of a track comes the first of the other side, and then
 * of the next cylinder; without multi-track, the side stays the same (82077AA data sheet, table 5-8).
 */
function advance(position: Position, count: number, last: number, multiTrack: boolean): void {
  position.sector += count;
  while (position.sector > last && last > 0) {
    position.sector -= last;
    if (multiTrack) position.head ^= 1;
    if (!multiTrack || position.head === 0) position.cylinder++;
  }
}

/** An image may be shorter than its format; the rest of the disk is blank and takes no writes. */
function readInside(store: BlockStore, start: number, data: Uint8Array): void | Promise<void> {
  const inside = Math.max(0, Math.min(data.length, store.size - start));
  data.fill(0, inside);
  return inside > 0 ? store.read(start, data.subarray(0, inside)) : undefined;
}

function writeInside(store: BlockStore, start: number, data: Uint8Array): void | Promise<void> {
  const inside = Math.max(0, Math.min(data.length, store.size - start));
  return inside > 0 ? store.write(start, data.subarray(0, inside)) : undefined;
}
