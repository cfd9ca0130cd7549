// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { type DriveHost, IdeDrive } from "./drive.js";
import { identifyDisk } from "./identify.js";
import { Command, Device, ErrorBit, Feature, MAX_MULTIPLE, SECTOR_SIZE, Status } from "./registers.js";

export interface DiskOptions {
  readonly kind: "disk";
  readonly store: BlockStore;
  /** At most 20 ASCII characters. */
  readonly serial: string;
  /** Hears of each error of the store; the guest only learns that its command failed. */
  readonly onStoreError?: (error: unknown) => void;
}

const NO_SIGNATURE = { mid: 0, high: 0 };
const LBA28_RANGE = 256;
const LBA48_RANGE = 0x1_0000;
const POWERED = 0xff;

type Direction = "in" | "out";

/** An ATA hard disk with 28- and 48-bit addresses, PIO, multiword and Ultra DMA. */
export class AtaDisk extends IdeDrive {
  protected readonly sectors: number;

  constructor(
    host: DriveHost,
    protected readonly options: DiskOptions,
  ) {
    super(host, NO_SIGNATURE, (error) => options.onStoreError?.(error));
    this.sectors = Math.floor(options.store.size / SECTOR_SIZE);
  }

  execute(command: number): void {
    const { s } = this;
    switch (command) {
      case Command.ReadSectors:
      case Command.ReadSectorsNoRetry:
        return this.transfer("in", false, SECTOR_SIZE);
      case Command.ReadSectorsExt:
        return this.transfer("in", true, SECTOR_SIZE);
      case Command.ReadMultiple:
        return this.transfer("in", false, s.multiple * SECTOR_SIZE);
      case Command.ReadMultipleExt:
        return this.transfer("in", true, s.multiple * SECTOR_SIZE);
      case Command.WriteSectors:
      case Command.WriteSectorsNoRetry:
        return this.transfer("out", false, SECTOR_SIZE);
      case Command.WriteSectorsExt:
        return this.transfer("out", true, SECTOR_SIZE);
      case Command.WriteMultiple:
        return this.transfer("out", false, s.multiple * SECTOR_SIZE);
      case Command.WriteMultipleExt:
      case Command.WriteMultipleFuaExt:
        return this.transfer("out", true, s.multiple * SECTOR_SIZE);
      case Command.ReadDma:
      case Command.ReadDmaNoRetry:
        return this.transfer("in", false, null);
      case Command.ReadDmaExt:
        return this.transfer("in", true, null);
      case Command.WriteDma:
      case Command.WriteDmaNoRetry:
        return this.transfer("out", false, null);
      case Command.WriteDmaExt:
      case Command.WriteDmaFuaExt:
        return this.transfer("out", true, null);
      case Command.ReadVerify:
      case Command.ReadVerifyNoRetry:
        return this.verify(false);
      case Command.ReadVerifyExt:
        return this.verify(true);
      case Command.Flush:
      case Command.FlushExt:
        return this.flush();
      default:
        return this.executeWithoutMedium(command);
    }
  }

  protected dataReceived(): void {}

  /** The last block of a PIO read is announced by its own interrupt; there is none after it. */
  protected transferDone(dma: boolean): void {
    if (dma) this.succeed();
  }

  /** A host that writes knows that it must send the first block; every other one is announced. */
  protected requestBlock(first: boolean): void {
    if (first && this.s.transfer.phase === "pio-out") return;
    this.interrupt();
  }

  protected mediumFailed(): void {
    this.fail(ErrorBit.Uncorrectable);
  }

  protected readMedium(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.options.store.read(offset, buffer);
  }

  protected writeMedium(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.options.store.write(offset, buffer);
  }

  private executeWithoutMedium(command: number): void {
    const { s } = this;
    switch (command) {
      case Command.Identify:
        this.buffer.set(identifyDisk(this.sectors, this.options.serial, s));
        return this.startBufferIn(SECTOR_SIZE);
      case Command.Diagnostic:
        s.error = 1;
        return this.succeed();
      case Command.InitializeParameters:
        if (s.count[0] === 0) return this.abort();
        s.heads = (s.device & Device.Head) + 1;
        s.sectorsPerTrack = s.count[0];
        return this.succeed();
      case Command.SetMultiple:
        // Zero switches block mode off; otherwise a power of two.
        if (s.count[0] > MAX_MULTIPLE || (s.count[0] & (s.count[0] - 1)) !== 0) return this.abort();
        s.multiple = s.count[0];
        return this.succeed();
      case Command.SetFeatures:
        return this.setFeatures();
      case Command.ReadNativeMax:
        this.putLba(Math.min(this.sectors, 0x0fff_ffff) - 1, false);
        return this.succeed();
      case Command.ReadNativeMaxExt:
        this.putLba(this.sectors - 1, true);
        return this.succeed();
      case Command.CheckPower:
        s.count[0] = POWERED;
        return this.succeed();
      case Command.StandbyImmediate:
      case Command.IdleImmediate:
      case Command.Standby:
      case Command.Idle:
      case Command.Sleep:
        return this.succeed();
      default:
        // RECALIBRATE and SEEK are families of sixteen.
        if ((command & 0xf0) === 0x10 || (command & 0xf0) === 0x70) return this.succeed();
        return this.abort();
    }
  }

  private setFeatures(): void {
    const { s } = this;
    switch (s.features) {
      case Feature.TransferMode:
        s.transferMode = s.count[0];
        return this.succeed();
      case Feature.WriteCacheOn:
      case Feature.WriteCacheOff:
        s.writeCache = s.features === Feature.WriteCacheOn;
        return this.succeed();
      case Feature.LookAheadOff:
      case Feature.LookAheadOn:
      case Feature.KeepDefaults:
      case Feature.RevertDefaults:
        return this.succeed();
      default:
        return this.abort();
    }
  }

  /** Sectors that the command means: a count of zero is the highest one. */
  private countOf(ext: boolean): number {
    const { count } = this.s;
    return ext ? count[0] | (count[1] << 8) || LBA48_RANGE : count[0] || LBA28_RANGE;
  }

  /** First sector that the command means, or -1 if cylinder, head and sector are none. */
  private sectorOf(ext: boolean): number {
    const { s } = this;
    const low = s.lbaLow[0] | (s.lbaMid[0] << 8) | (s.lbaHigh[0] << 16);
    if (ext) return (s.lbaLow[1] | (s.lbaMid[1] << 8) | (s.lbaHigh[1] << 16)) * 2 ** 24 + low;
    if ((s.device & Device.Lba) !== 0) return (s.device & Device.Head) * 2 ** 24 + low;
    const cylinder = s.lbaMid[0] | (s.lbaHigh[0] << 8);
    const head = s.device & Device.Head;
    if (s.lbaLow[0] === 0 || s.lbaLow[0] > s.sectorsPerTrack || head >= s.heads) return -1;
    return (cylinder * s.heads + head) * s.sectorsPerTrack + s.lbaLow[0] - 1;
  }

  private putLba(sector: number, ext: boolean): void {
    const { s } = this;
    const low = sector % 2 ** 24;
    const high = Math.floor(sector / 2 ** 24);
    s.lbaLow[0] = low & 0xff;
    s.lbaMid[0] = (low >> 8) & 0xff;
    s.lbaHigh[0] = low >> 16;
    if (!ext) {
      s.device = (s.device & ~Device.Head) | (high & Device.Head);
      return;
    }
    s.lbaLow[1] = high & 0xff;
    s.lbaMid[1] = (high >> 8) & 0xff;
    s.lbaHigh[1] = (high >> 16) & 0xff;
  }

  /** The sectors that a command names, or null with the command refused. */
  private range(ext: boolean): { start: number; bytes: number } | null {
    const sector = this.sectorOf(ext);
    const count = this.countOf(ext);
    if (sector >= 0 && sector + count <= this.sectors)
      return { start: sector * SECTOR_SIZE, bytes: count * SECTOR_SIZE };
    this.fail(ErrorBit.IdNotFound);
    return null;
  }

  /** @param block bytes of a PIO block, or null for DMA */
  private transfer(direction: Direction, ext: boolean, block: number | null): void {
    // READ MULTIPLE without a block size, or a write to a disk that cannot be written.
    if (block === 0 || (direction === "out" && this.options.store.readOnly)) return this.abort();
    const range = this.range(ext);
    if (range === null) return;
    const { start, bytes } = range;
    if (block === null) this.startDma(direction === "in" ? "dma-in" : "dma-out", start, bytes);
    else if (direction === "in") this.startPioIn(start, bytes, block);
    else this.startPioOut(start, bytes, block);
  }

  private verify(ext: boolean): void {
    if (this.range(ext) !== null) this.succeed();
  }

  private flush(): void {
    this.s.status &= ~Status.DataRequest;
    this.later(
      () => this.options.store.flush(),
      () => this.succeed(),
    );
  }
}
