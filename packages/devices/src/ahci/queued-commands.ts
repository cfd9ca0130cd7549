// SPDX-License-Identifier: Apache-2.0
import { ErrorBit, SECTOR_SIZE, Status } from "../ide/registers.js";
import type { AhciCommand, MoveFailure } from "./command.js";
import { QUEUED_CHUNK, SataCommand } from "./registers.js";
import type { SataDisk } from "./sata-disk.js";
import type { QueueError } from "./state.js";

/** Where the results of queued commands go. */
export interface QueueEvents {
  done(tag: number): void;
  failed(error: QueueError): void;
  /** Memory was at fault. */
  stuck(failure: MoveFailure): void;
  /** Work of the store begins, and ends. */
  began(): void;
  ended(): void;
}

/** A command as its FIS says it. */
interface Request {
  readonly command: AhciCommand;
  readonly tag: number;
  readonly sector: number;
  readonly bytes: number;
  readonly write: boolean;
  /** The data has to be on stable storage before the command ends. */
  readonly forced: boolean;
}

const DEVICE_FORCED = 0x80;
const MAX_SECTORS = 0x1_0000;

/** Commands of a disk that run side by side (Serial ATA 3.0, 13.6). */
export class QueuedCommands {
  private active = 0;
  /** Bumped by every reset and error, so that late answers of the store are dropped. */
  private generation = 0;

  constructor(
    private readonly disk: SataDisk,
    private readonly events: QueueEvents,
  ) {}

  /** Whether commands are under way. */
  get busy(): boolean {
    return this.active > 0;
  }

  /** Forgets all commands. */
  reset(): void {
    this.generation++;
    this.active = 0;
  }

  /** Starts a command; it may be over when this returns. */
  start(command: AhciCommand): void {
    const { fis } = command;
    const low = fis[4] | (fis[5] << 8) | (fis[6] << 16);
    const sectors = fis[3] | (fis[11] << 8) || MAX_SECTORS;
    const request: Request = {
      command,
      tag: fis[12] >> 3,
      sector: (fis[8] | (fis[9] << 8) | (fis[10] << 16)) * 2 ** 24 + low,
      bytes: sectors * SECTOR_SIZE,
      write: fis[2] === SataCommand.WriteFpdmaQueued,
      forced: (fis[7] & DEVICE_FORCED) !== 0,
    };
    if (request.sector + sectors > this.disk.size) return this.fail(request, ErrorBit.IdNotFound);
    if (request.write && this.disk.store.readOnly) return this.fail(request, ErrorBit.Abort);
    this.active++;
    const { generation } = this;
    const broken = (error: unknown): void => {
      this.disk.storeError(error);
      if (generation === this.generation) this.fail(request, ErrorBit.Uncorrectable);
    };
    try {
      const result = this.run(request, generation);
      if (!(result instanceof Promise)) return;
      this.events.began();
      void result.catch(broken).then(() => this.events.ended());
    } catch (error) {
      broken(error);
    }
  }

  /** Moves all data, one chunk at a time. */
  private run(request: Request, generation: number): void | Promise<void> {
    const { command, bytes, sector, write } = request;
    const { store } = this.disk;
    const buffer = new Uint8Array(Math.min(bytes, QUEUED_CHUNK));
    let done = 0;
    const stuck = (failure: MoveFailure): void => {
      this.reset();
      this.events.stuck(failure);
    };
    /** False if the command is over, because of its memory or because it was forgotten. */
    const arrived = (piece: Uint8Array): boolean => {
      if (generation !== this.generation) return false;
      done += piece.length;
      if (write) return true;
      const failure = command.move(piece, true);
      if (failure !== null) stuck(failure);
      return failure === null;
    };
    const step = (): void | Promise<void> => {
      while (done < bytes) {
        const piece = buffer.subarray(0, Math.min(bytes - done, QUEUED_CHUNK));
        if (write) {
          const failure = command.move(piece, false);
          if (failure !== null) return stuck(failure);
        }
        const at = sector * SECTOR_SIZE + done;
        const result = write ? store.write(at, piece) : store.read(at, piece);
        if (result instanceof Promise) return result.then(() => (arrived(piece) ? step() : undefined));
        if (!arrived(piece)) return;
      }
      if (write && request.forced) {
        const flushed = store.flush();
        if (flushed instanceof Promise) return flushed.then(() => this.finish(request, generation));
      }
      this.finish(request, generation);
    };
    return step();
  }

  private finish({ tag }: Request, generation: number): void {
    if (generation !== this.generation) return;
    this.active--;
    this.events.done(tag);
  }

  /** One command's error ends them all (Serial ATA 3.0, 13.6.5). */
  private fail({ tag, sector }: Request, error: number): void {
    this.reset();
    this.events.failed({ tag, status: Status.Ready | Status.Error, error, sector });
  }
}
