// SPDX-License-Identifier: Apache-2.0
import { AtaDisk } from "../ide/ata-disk.js";
import { Command, ErrorBit, SECTOR_SIZE } from "../ide/registers.js";
import { LOG_DIRECTORY, LOG_QUEUE_ERROR, MAX_TRIM_BLOCKS, SataCommand, SLOTS, TRIM } from "./registers.js";
import type { QueueError } from "./state.js";

const RANGE_SIZE = 8;
/** Largest answer to READ LOG EXT; both logs have one page, the pages behind it read as zeros. */
const MAX_LOG_PAGES = 16;

/** What an ATA disk of the parallel bus does not know: command queues, TRIM, logs. */
export class SataDisk extends AtaDisk {
  /** The queued command that failed last, until its log has been read. */
  queueError: QueueError | null = null;
  /** The data that comes in are ranges of TRIM. */
  private trimming = false;
  private badRange = false;

  get size(): number {
    return this.sectors;
  }

  get store() {
    return this.options.store;
  }

  /** The store failed outside of this drive's own transfers. */
  storeError(error: unknown): void {
    this.options.onStoreError?.(error);
  }

  override reset(): void {
    this.queueError = null;
    super.reset();
  }

  override execute(command: number): void {
    this.trimming = false;
    this.badRange = false;
    switch (command) {
      case Command.Identify:
        super.execute(command);
        this.extendIdentity();
        return;
      case SataCommand.DataSetManagement:
        return this.dataSetManagement();
      case SataCommand.ReadLogExt:
      case SataCommand.ReadLogDmaExt:
        return this.readLog(command === SataCommand.ReadLogDmaExt);
      default:
        return super.execute(command);
    }
  }

  protected override writeMedium(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.trimming ? this.trim(buffer) : super.writeMedium(offset, buffer);
  }

  protected override transferDone(dma: boolean): void {
    if (this.badRange) this.fail(ErrorBit.IdNotFound);
    else super.transferDone(dma);
  }

  /** Words that the parallel disk in the buffer lacks (ATA8-ACS, 7.16.7). */
  private extendIdentity(): void {
    const view = new DataView(this.buffer.buffer, this.buffer.byteOffset);
    const set = (word: number, value: number): void => view.setUint16(word * 2, value, true);
    set(75, SLOTS - 1);
    // NCQ; 1.5, 3 and 6 Gbit/s.
    set(76, 0x010e);
    // ATA/ATAPI-4 to ATA8-ACS.
    set(80, 0x01f0);
    // General purpose logs.
    set(84, 0x4020);
    set(87, 0x4020);
    // A parallel disk says here how it was reset.
    set(93, 0);
    if (this.canTrim) {
      set(105, MAX_TRIM_BLOCKS);
      set(169, 1);
    }
    // Not rotating.
    set(217, 1);
    // Serial ATA 2.6.
    set(222, 0x1020);
  }

  private get canTrim(): boolean {
    return !this.options.store.readOnly && this.options.store.discard !== undefined;
  }

  private dataSetManagement(): void {
    const { features, count } = this.s;
    const blocks = count[0] | (count[1] << 8);
    if (features !== TRIM || !this.canTrim || blocks === 0 || blocks > MAX_TRIM_BLOCKS) return this.abort();
    this.trimming = true;
    this.startDma("dma-out", 0, blocks * SECTOR_SIZE);
  }

  /** Checks all ranges before it discards the first; they come in one piece. */
  private trim(bytes: Uint8Array): void | Promise<void> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ranges: { readonly offset: number; readonly length: number }[] = [];
    for (let at = 0; at < bytes.length; at += RANGE_SIZE) {
      const count = view.getUint16(at + 6, true);
      const sector = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
      if (count === 0) continue;
      if (sector + count > this.sectors) {
        this.badRange = true;
        return;
      }
      ranges.push({ offset: sector * SECTOR_SIZE, length: count * SECTOR_SIZE });
    }
    let next = 0;
    const run = (): void | Promise<void> => {
      while (next < ranges.length) {
        const { offset, length } = ranges[next++];
        const step = this.options.store.discard?.(offset, length);
        if (step instanceof Promise) return step.then(run);
      }
    };
    return run();
  }

  /** READ LOG EXT (ATA8-ACS, 7.24): a directory, and the error of the command queue. */
  private readLog(dma: boolean): void {
    const { count, lbaLow, lbaMid } = this.s;
    const pages = count[0] | (count[1] << 8);
    const log = lbaLow[0];
    const known = log === LOG_DIRECTORY || log === LOG_QUEUE_ERROR;
    if (!known || (lbaMid[0] | lbaMid[1]) !== 0 || pages === 0 || pages > MAX_LOG_PAGES) return this.abort();
    const bytes = this.buffer.subarray(0, pages * SECTOR_SIZE).fill(0);
    if (log === LOG_DIRECTORY) {
      bytes[0] = 1;
      bytes[2 * LOG_QUEUE_ERROR] = 1;
    } else this.putQueueError(bytes);
    if (dma) this.startBufferDma(bytes.length);
    else this.startBufferIn(bytes.length);
  }

  private putQueueError(bytes: Uint8Array): void {
    const { queueError } = this;
    // Bit 7 says that the last error was not one of a queued command.
    if (queueError === null) bytes[0] = 0x80;
    else {
      const { tag, status, error, sector } = queueError;
      const high = Math.floor(sector / 2 ** 24);
      bytes.set([tag, 0, status, error, sector & 0xff, (sector >>> 8) & 0xff, (sector >>> 16) & 0xff, 0x40]);
      bytes.set([high & 0xff, (high >>> 8) & 0xff, (high >>> 16) & 0xff], 8);
      this.queueError = null;
    }
    let sum = 0;
    for (let i = 0; i < SECTOR_SIZE - 1; i++) sum += bytes[i];
    bytes[SECTOR_SIZE - 1] = -sum & 0xff;
  }
}
