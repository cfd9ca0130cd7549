// SPDX-License-Identifier: Apache-2.0
import { copyState } from "../device.js";
import { BUFFER_SIZE, Device, ErrorBit, HEADS, SECTORS_PER_TRACK, Status } from "./registers.js";
import { type DriveState, idleTransfer } from "./state.js";

/** The DMA engine at the other end of a drive's cable. */
export interface DmaEngine {
  /** Whether it runs in the direction that the drive needs. */
  ready(toMemory: boolean): boolean;
  /** Moves all of `bytes` to or from memory; false, with the engine stopped, if that is not possible. */
  move(bytes: Uint8Array, toMemory: boolean): boolean;
  /** The drive has interrupted. */
  interrupted(): void;
  /** The drive has moved everything. */
  finished(): void;
}

/** What a drive needs of its channel. */
export interface DriveHost {
  /** INTRQ has changed. */
  interruptChanged(): void;
  readonly busMaster: DmaEngine;
  /** An operation outside the machine begins, and ends. */
  began(): void;
  ended(): void;
}

/** Signature in the LBA registers after a reset (ATA-6, 9.12). */
export interface Signature {
  readonly mid: number;
  readonly high: number;
}

function driveResetState(): DriveState {
  return {
    error: 1,
    features: 0,
    count: [1, 0],
    lbaLow: [1, 0],
    lbaMid: [0, 0],
    lbaHigh: [0, 0],
    device: 0,
    status: 0,
    interrupt: false,
    transfer: idleTransfer(),
    multiple: 0,
    heads: HEADS,
    sectorsPerTrack: SECTORS_PER_TRACK,
    transferMode: 0,
    writeCache: true,
    senseKey: 0,
    senseCode: 0,
    mediumChanged: false,
    locked: false,
    ejected: false,
  };
}

/** Registers, buffer and transfers of a drive; what commands do is up to the kinds of drive. */
export abstract class IdeDrive {
  s: DriveState = driveResetState();
  protected readonly buffer: Uint8Array = new Uint8Array(BUFFER_SIZE);
  /** Bytes of the buffer that hold data. */
  private filled = 0;
  /** Bumped by every reset and command, so that late answers of the store are dropped. */
  private generation = 0;

  constructor(
    protected readonly host: DriveHost,
    private readonly signature: Signature,
    private readonly storeFailed: (error: unknown) => void,
  ) {}

  /** Carries out the command that was written to the command register. */
  abstract execute(command: number): void;
  /** The host has written all of a packet or of the last block of a command without a medium. */
  protected abstract dataReceived(): void;
  /** All data of a command has been moved to the host by PIO, or either way by DMA. */
  protected abstract transferDone(dma: boolean): void;
  /** A block is ready in the buffer, or wanted from the host: sets registers and interrupts. */
  protected abstract requestBlock(first: boolean): void;
  /** The medium could not be read or written. */
  protected abstract mediumFailed(): void;
  protected abstract readMedium(offset: number, buffer: Uint8Array): void | Promise<void>;
  protected abstract writeMedium(offset: number, buffer: Uint8Array): void | Promise<void>;

  reset(): void {
    const { mediumChanged, ejected } = this.s;
    this.s = { ...driveResetState(), mediumChanged, ejected };
    this.softReset();
  }

  /** By the SRST bit or DEVICE RESET: commands are given up, settings stay. */
  softReset(): void {
    this.cancel();
    const { s } = this;
    s.error = 1;
    s.count = [1, 0];
    s.lbaLow = [1, 0];
    s.lbaMid = [this.signature.mid, 0];
    s.lbaHigh = [this.signature.high, 0];
    s.device &= Device.Slave;
    s.status = this.readyStatus();
    s.interrupt = false;
    this.host.interruptChanged();
  }

  save(): DriveState {
    const state = copyState(this.s);
    state.transfer.buffer = [...this.buffer.subarray(0, this.filled)];
    return state;
  }

  restore(state: DriveState): void {
    this.generation++;
    this.s = copyState(state);
    const { buffer } = this.s.transfer;
    this.filled = Math.min(buffer.length, BUFFER_SIZE);
    this.buffer.set(buffer.slice(0, this.filled));
    this.s.transfer.buffer = [];
  }

  /** Writes the command register. */
  command(command: number): void {
    const { s } = this;
    // Only DEVICE RESET gets through to a busy packet device; the channel has looked after that.
    this.cancel();
    s.interrupt = false;
    this.host.interruptChanged();
    s.error = 0;
    s.status = Status.Ready | Status.SeekComplete;
    this.execute(command);
  }

  readData(): number {
    const { transfer } = this.s;
    if (transfer.phase !== "pio-in" || (this.s.status & Status.DataRequest) === 0) return 0xffff;
    const at = transfer.position;
    const value = this.buffer[at] | ((at + 1 < this.filled ? this.buffer[at + 1] : 0) << 8);
    transfer.position = at + 2;
    if (transfer.position >= this.filled) this.blockTaken();
    return value;
  }

  writeData(value: number): void {
    const { transfer } = this.s;
    const takes = transfer.phase === "pio-out" || transfer.phase === "packet";
    if (!takes || (this.s.status & Status.DataRequest) === 0) return;
    this.buffer[transfer.position] = value & 0xff;
    this.buffer[transfer.position + 1] = value >> 8;
    transfer.position += 2;
    if (transfer.position >= this.filled) this.blockGiven();
  }

  /** The bus master has been started, or the drive has become ready for it. */
  pumpDma(): void {
    const { transfer, status } = this.s;
    if ((status & Status.Busy) !== 0) return;
    if (transfer.phase === "dma-in" && this.host.busMaster.ready(true)) this.dmaIn();
    else if (transfer.phase === "dma-out" && this.host.busMaster.ready(false)) this.dmaOut();
  }

  protected readyStatus(): number {
    return Status.Ready | Status.SeekComplete;
  }

  protected interrupt(): void {
    this.s.interrupt = true;
    this.host.busMaster.interrupted();
    this.host.interruptChanged();
  }

  /** Ends a command with an error. */
  protected fail(error: number): void {
    this.s.transfer = idleTransfer();
    this.filled = 0;
    this.s.error = error;
    this.s.status = Status.Ready | Status.SeekComplete | Status.Error;
    this.interrupt();
  }

  /** Ends a command that went well. */
  protected succeed(): void {
    this.s.transfer = idleTransfer();
    this.filled = 0;
    this.s.status = Status.Ready | Status.SeekComplete;
    this.interrupt();
  }

  /** Sends `bytes` of the medium from `medium` on, `block` bytes at a time. */
  protected startPioIn(medium: number, bytes: number, block: number): void {
    this.s.transfer = { ...idleTransfer(), phase: "pio-in", medium, remaining: bytes, block };
    this.loadBlock(true);
  }

  /** Sends what is in the buffer. */
  protected startBufferIn(bytes: number): void {
    this.s.transfer = { ...idleTransfer(), phase: "pio-in", block: bytes };
    this.filled = bytes;
    this.offer(true);
  }

  protected startPioOut(medium: number, bytes: number, block: number): void {
    this.s.transfer = { ...idleTransfer(), phase: "pio-out", medium, remaining: bytes, block };
    this.wantBlock(true);
  }

  /** Takes `bytes` into the buffer; {@link dataReceived} is called then. */
  protected startPacket(bytes: number): void {
    this.s.transfer = { ...idleTransfer(), phase: "packet", block: bytes };
    this.filled = bytes;
    this.s.status |= Status.DataRequest;
  }

  protected startDma(phase: "dma-in" | "dma-out", medium: number, bytes: number): void {
    this.s.transfer = { ...idleTransfer(), phase, medium, remaining: bytes };
    this.filled = 0;
    this.s.status |= Status.DataRequest;
    this.pumpDma();
  }

  /** Sends what is in the buffer by DMA. */
  protected startBufferDma(bytes: number): void {
    this.filled = bytes;
    this.s.transfer = { ...idleTransfer(), phase: "dma-in", block: bytes };
    this.s.status |= Status.DataRequest;
    this.pumpDma();
  }

  /** Runs an operation of the store, then `next`, unless it fails or the command is given up meanwhile. */
  protected later(operation: () => void | Promise<void>, next: () => void): void {
    const { generation, host } = this;
    const failed = (error: unknown): void => {
      this.storeFailed(error);
      if (generation === this.generation) this.mediumFailed();
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
    const waiting = this.s.status;
    this.s.status = Status.Busy;
    host.began();
    const arrived = (): void => {
      if (generation !== this.generation) return;
      this.s.status = waiting;
      next();
    };
    void result.then(arrived, failed).then(() => host.ended());
  }

  private cancel(): void {
    this.generation++;
    this.filled = 0;
    this.s.transfer = idleTransfer();
  }

  private offer(first: boolean): void {
    this.s.transfer.position = 0;
    this.s.status = Status.Ready | Status.SeekComplete | Status.DataRequest;
    this.requestBlock(first);
  }

  private loadBlock(first: boolean): void {
    const { transfer } = this.s;
    const bytes = Math.min(transfer.block, transfer.remaining, BUFFER_SIZE);
    this.s.status &= ~Status.DataRequest;
    this.later(
      () => this.readMedium(transfer.medium, this.buffer.subarray(0, bytes)),
      () => {
        transfer.medium += bytes;
        transfer.remaining -= bytes;
        this.filled = bytes;
        this.offer(first);
      },
    );
  }

  /** Number of bytes of the block that is ready or wanted. */
  protected get blockBytes(): number {
    return this.filled;
  }

  private blockTaken(): void {
    if (this.s.transfer.remaining > 0) {
      this.loadBlock(false);
      return;
    }
    this.s.transfer = idleTransfer();
    this.filled = 0;
    this.s.status = Status.Ready | Status.SeekComplete;
    this.transferDone(false);
  }

  private wantBlock(first: boolean): void {
    const { transfer } = this.s;
    this.filled = Math.min(transfer.block, transfer.remaining, BUFFER_SIZE);
    this.offer(first);
  }

  private blockGiven(): void {
    const { transfer } = this.s;
    this.s.status &= ~Status.DataRequest;
    if (transfer.phase === "packet") {
      transfer.phase = "idle";
      this.dataReceived();
      return;
    }
    const bytes = this.filled;
    this.later(
      () => this.writeMedium(transfer.medium, this.buffer.subarray(0, bytes)),
      () => {
        transfer.medium += bytes;
        transfer.remaining -= bytes;
        if (transfer.remaining > 0) this.wantBlock(false);
        else this.succeed();
      },
    );
  }

  /** One piece to memory; a buffer that was filled beforehand goes first. */
  private dmaIn(): void {
    const { transfer } = this.s;
    const { busMaster } = this.host;
    if (this.filled > 0) {
      const bytes = this.buffer.subarray(0, this.filled);
      // Out of regions: the drive waits with its data until the host gives up and resets it.
      if (!busMaster.move(bytes, true)) return;
      this.filled = 0;
      if (transfer.remaining === 0) {
        this.dmaDone();
        return;
      }
    }
    const bytes = Math.min(transfer.remaining, BUFFER_SIZE);
    this.later(
      () => this.readMedium(transfer.medium, this.buffer.subarray(0, bytes)),
      () => {
        transfer.medium += bytes;
        transfer.remaining -= bytes;
        this.filled = bytes;
        this.pumpDma();
      },
    );
  }

  private dmaOut(): void {
    const { transfer } = this.s;
    const bytes = Math.min(transfer.remaining, BUFFER_SIZE);
    const piece = this.buffer.subarray(0, bytes);
    if (!this.host.busMaster.move(piece, false)) return;
    this.later(
      () => this.writeMedium(transfer.medium, piece),
      () => {
        transfer.medium += bytes;
        transfer.remaining -= bytes;
        if (transfer.remaining > 0) this.pumpDma();
        else this.dmaDone();
      },
    );
  }

  private dmaDone(): void {
    this.host.busMaster.finished();
    this.s.transfer = idleTransfer();
    this.filled = 0;
    this.s.status = Status.Ready | Status.SeekComplete;
    this.transferDone(true);
  }

  /** Gives up a command that the drive does not know. */
  protected abort(): void {
    this.fail(ErrorBit.Abort);
  }
}
