// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { BlockStore } from "@isola/ports";
import { type DriveHost, IdeDrive } from "./drive.js";
import { identifyCdrom } from "./identify.js";
import {
  capacityData,
  configurationData,
  discInformation,
  inquiryData,
  mediaEventData,
  mediumType,
  modePages,
  senseData,
  tocData,
} from "./packet-answers.js";
import { Packet, SenseCode, SenseKey } from "./packet-registers.js";
import {
  BUFFER_SIZE,
  CD_BLOCK_SIZE,
  Command,
  ErrorBit,
  Feature,
  PACKET_SIZE,
  Reason,
  SECTOR_SIZE,
  Status,
} from "./registers.js";

export interface CdromOptions {
  readonly kind: "cdrom";
  /** The disc in the drive, or null. */
  readonly store: BlockStore | null;
  readonly onStoreError?: (error: unknown) => void;
}

const PACKET_SIGNATURE = { mid: 0x14, high: 0xeb };
const DMA = 0x01;
const MAX_BYTE_COUNT = 0xfffe;
const NO_EVENT = 0;
const NEW_MEDIUM = 2;
/** READ CD: what of a sector is sent. Only user data is there. */
const USER_DATA = 0x10;

/** An ATAPI CD or DVD drive that reads discs of 2048-byte blocks. */
export class AtapiCdrom extends IdeDrive {
  private disc: BlockStore | null;

  constructor(host: DriveHost, options: CdromOptions) {
    super(host, PACKET_SIGNATURE, (error) => options.onStoreError?.(error));
    this.disc = options.store;
  }

  /** Puts in another disc, or none; the guest is told at its next command. */
  changeDisc(disc: BlockStore | null): void {
    this.disc = disc;
    this.s.ejected = false;
    this.s.mediumChanged = true;
  }

  execute(command: number): void {
    const { s } = this;
    switch (command) {
      case Command.Packet:
        s.count[0] = Reason.Command;
        return this.startPacket(PACKET_SIZE);
      case Command.IdentifyPacket:
        this.buffer.set(identifyCdrom(s));
        // The length of the answer does not follow from the byte count that was asked for.
        this.setByteCount(MAX_BYTE_COUNT);
        return this.startBufferIn(SECTOR_SIZE);
      case Command.DeviceReset:
        this.softReset();
        return;
      case Command.Diagnostic:
        this.softReset();
        return this.interrupt();
      case Command.SetFeatures:
        if (s.features !== Feature.TransferMode) return this.abort();
        s.transferMode = s.count[0];
        return this.succeed();
      case Command.IdleImmediate:
      case Command.StandbyImmediate:
      case Command.Sleep:
        return this.succeed();
      case Command.CheckPower:
        s.count[0] = 0xff;
        return this.succeed();
      case Command.Identify:
        // A host that asks a packet device for a disk learns from the signature what it talks to.
        this.softReset();
        return this.abort();
      default:
        return this.abort();
    }
  }

  /** A packet device is not ready until it has been talked to (ATA-6, 9.12). */
  protected override readyStatus(): number {
    return 0;
  }

  protected dataReceived(): void {
    const packet = this.buffer.slice(0, PACKET_SIZE);
    const opcode = packet[0];
    if (opcode !== Packet.RequestSense && opcode !== Packet.Inquiry && opcode !== Packet.GetEventStatus) {
      if (this.s.mediumChanged) {
        this.s.mediumChanged = false;
        return this.check(SenseKey.UnitAttention, SenseCode.MediumChanged);
      }
    }
    if (opcode !== Packet.RequestSense) this.setSense(SenseKey.None, SenseCode.None);
    this.executePacket(opcode, packet, new DataView(packet.buffer));
  }

  protected transferDone(): void {
    this.complete();
  }

  protected requestBlock(): void {
    this.s.count[0] = Reason.ToHost;
    this.setByteCount(this.blockBytes);
    this.interrupt();
  }

  protected mediumFailed(): void {
    this.check(SenseKey.MediumError, SenseCode.UnrecoveredRead);
  }

  protected readMedium(offset: number, buffer: Uint8Array): void | Promise<void> {
    const { disc } = this;
    // The disc may have been changed for a shorter one in the middle of a command.
    if (disc === null || offset + buffer.length > disc.size)
      throw new OperatorError("no-medium", `the disc that the guest reads at ${offset} has been taken out`);
    return disc.read(offset, buffer);
  }

  /** No command writes. */
  protected writeMedium(): void {}

  private get blocks(): number {
    return this.disc === null || this.s.ejected ? 0 : Math.floor(this.disc.size / CD_BLOCK_SIZE);
  }

  private executePacket(opcode: number, packet: Uint8Array, view: DataView): void {
    switch (opcode) {
      case Packet.RequestSense:
        this.answer(senseData(this.s.senseKey, this.s.senseCode), packet[4]);
        return;
      case Packet.Inquiry:
        return this.answer(inquiryData(), packet[4]);
      case Packet.PreventRemoval:
        this.s.locked = (packet[4] & 1) !== 0;
        return this.complete();
      case Packet.StartStop:
        return this.startStop(packet[4]);
      case Packet.ModeSense6:
        return this.modeSense(packet[2] & 0x3f, packet[4], false);
      case Packet.ModeSense10:
        return this.modeSense(packet[2] & 0x3f, view.getUint16(7), true);
      case Packet.GetConfiguration:
        return this.answer(configurationData(this.blocks), view.getUint16(7));
      case Packet.GetEventStatus:
        return this.eventStatus(packet, view.getUint16(7));
      case Packet.MechanismStatus:
        return this.answer(Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 0]), view.getUint16(8));
      default:
        return this.executeOnDisc(opcode, packet, view);
    }
  }

  /** Commands that need a disc. */
  private executeOnDisc(opcode: number, packet: Uint8Array, view: DataView): void {
    const { blocks } = this;
    const needed: readonly number[] = [
      Packet.TestUnitReady,
      Packet.ReadCapacity,
      Packet.Read10,
      Packet.Read12,
      Packet.ReadCd,
      Packet.Seek10,
      Packet.ReadToc,
      Packet.ReadDiscInformation,
    ];
    if (!needed.includes(opcode)) return this.check(SenseKey.IllegalRequest, SenseCode.InvalidCommand);
    if (blocks === 0) return this.check(SenseKey.NotReady, SenseCode.NoMedium);
    switch (opcode) {
      case Packet.ReadCapacity:
        return this.answer(capacityData(blocks), 8);
      case Packet.Read10:
        return this.read(view.getUint32(2), view.getUint16(7));
      case Packet.Read12:
        return this.read(view.getUint32(2), view.getUint32(6));
      case Packet.ReadCd:
        return this.readCd(packet, view);
      case Packet.ReadToc:
        return this.readToc(packet, view.getUint16(7));
      case Packet.ReadDiscInformation:
        return this.answer(discInformation(), view.getUint16(7));
      default:
        return this.complete();
    }
  }

  private readCd(packet: Uint8Array, view: DataView): void {
    const count = (packet[6] << 16) | view.getUint16(7);
    if ((packet[9] & 0xf8) === 0 || count === 0) return this.complete();
    if ((packet[9] & 0xf8) !== USER_DATA) return this.check(SenseKey.IllegalRequest, SenseCode.InvalidField);
    this.read(view.getUint32(2), count);
  }

  private readToc(packet: Uint8Array, length: number): void {
    // Older drives take the format from the control byte.
    const format = packet[2] & 0x0f || packet[9] >> 6;
    const toc = tocData(format, packet[6], (packet[1] & 2) !== 0, this.blocks);
    if (toc === null) this.check(SenseKey.IllegalRequest, SenseCode.InvalidField);
    else this.answer(toc, length);
  }

  private eventStatus(packet: Uint8Array, length: number): void {
    // Without the polled bit the host wants to be told later, which this drive cannot do.
    if ((packet[1] & 1) === 0) return this.check(SenseKey.IllegalRequest, SenseCode.InvalidField);
    const changed = this.s.mediumChanged;
    this.s.mediumChanged = false;
    this.answer(mediaEventData(changed && this.blocks > 0 ? NEW_MEDIUM : NO_EVENT, this.blocks > 0), length);
  }

  private modeSense(page: number, length: number, long: boolean): void {
    const pages = modePages(page);
    if (pages === null) return this.check(SenseKey.IllegalRequest, SenseCode.InvalidField);
    const header = long
      ? [0, pages.length + 6, mediumType(this.blocks > 0), 0, 0, 0, 0, 0]
      : [pages.length + 3, mediumType(this.blocks > 0), 0, 0];
    this.answer(Uint8Array.from([...header, ...pages]), length);
  }

  /** Bit 1 moves the tray: out, or with bit 0 in again, and what lies in it counts as a new disc. */
  private startStop(action: number): void {
    const { s } = this;
    if ((action & 2) === 0) return this.complete();
    const out = (action & 1) === 0;
    if (out && s.locked) return this.check(SenseKey.NotReady, SenseCode.RemovalPrevented);
    if (!out && s.ejected) s.mediumChanged = true;
    s.ejected = out;
    this.complete();
  }

  private read(block: number, count: number): void {
    if (count === 0) return this.complete();
    if (block + count > this.blocks) return this.check(SenseKey.IllegalRequest, SenseCode.OutOfRange);
    const bytes = count * CD_BLOCK_SIZE;
    if ((this.s.features & DMA) !== 0) this.startDma("dma-in", block * CD_BLOCK_SIZE, bytes);
    else this.startPioIn(block * CD_BLOCK_SIZE, bytes, this.byteCountLimit());
  }

  /** Sends `data`, or as much of it as the host has allocated space for. */
  private answer(data: Uint8Array, allocated: number): void {
    const length = Math.min(data.length, allocated);
    if (length === 0) return this.complete();
    this.buffer.set(data.subarray(0, length));
    if ((this.s.features & DMA) !== 0) this.startBufferDma(length);
    else this.startBufferIn(length);
  }

  /** The most that the host takes between two interrupts; zero is as much as fits (ATA-6, 8.23.2). */
  private byteCountLimit(): number {
    const limit = this.s.lbaMid[0] | (this.s.lbaHigh[0] << 8);
    const even = limit === 0 || limit > MAX_BYTE_COUNT ? MAX_BYTE_COUNT : limit & ~1;
    // Whole blocks where they fit, so that the medium is read in its own units.
    const blocks = Math.floor(even / CD_BLOCK_SIZE) * CD_BLOCK_SIZE;
    return Math.min(blocks > 0 ? blocks : Math.max(even, 2), BUFFER_SIZE);
  }

  private setByteCount(bytes: number): void {
    this.s.lbaMid[0] = bytes & 0xff;
    this.s.lbaHigh[0] = bytes >> 8;
  }

  private setSense(key: number, code: number): void {
    this.s.senseKey = key;
    this.s.senseCode = code;
  }

  private complete(): void {
    this.s.count[0] = Reason.Command | Reason.ToHost;
    this.succeed();
  }

  /** Ends a command with sense data for the host to ask for. */
  private check(key: SenseKey, code: SenseCode): void {
    this.setSense(key, code);
    this.s.count[0] = Reason.Command | Reason.ToHost;
    this.fail((key << 4) | (key === SenseKey.IllegalRequest ? ErrorBit.Abort : 0));
    this.s.status = Status.Ready | Status.Error;
  }
}
