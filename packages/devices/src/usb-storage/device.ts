// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { checkState, copyState } from "../device.js";
import { BLOCK_SIZE } from "../scsi/registers.js";
import { ScsiDisk, type ScsiWork } from "../scsi/disk.js";
import { EndpointKind, type UsbIdentity } from "../usb/descriptors.js";
import { ENDPOINT_IN, MAX_TRANSFER, NAK, STALL, type UsbDevice, UsbSpeed } from "../usb/device.js";
import { UsbFunction } from "../usb/function.js";
import { RequestType, type SetupPacket } from "../usb/setup-packet.js";
import { WorkUnderWay } from "../work-under-way.js";
import {
  BULK_IN,
  BULK_ONLY,
  BULK_OUT,
  CBW_LENGTH,
  CBW_SIGNATURE,
  CBW_TO_HOST,
  CommandStatus,
  CSW_LENGTH,
  CSW_SIGNATURE,
  PRODUCT_ID,
  RELEASE,
  SCSI_SUBCLASS,
  STORAGE_CLASS,
  StorageRequest,
  VENDOR,
} from "./registers.js";
import { transportResetState, type UsbStorageState } from "./state.js";

export interface UsbStorageOptions {
  readonly store: BlockStore;
  /** Serial number shown to the guest, at most 20 ASCII characters. */
  readonly serial: string;
  /** Called with each error of the store; the guest only learns that its command failed. */
  readonly onStoreError?: (error: unknown) => void;
}

const PACKET = 1024;
const BURST = 15;

function identityOf(serial: string): UsbIdentity {
  const bulk = { kind: EndpointKind.Bulk, maxPacket: PACKET, interval: 0, burst: BURST };
  return {
    vendorId: VENDOR,
    productId: PRODUCT_ID,
    release: RELEASE,
    manufacturer: "Isola",
    product: "USB Disk",
    // Drivers tell disks apart by it, and it has to be there (BOT 1.0, 4.1.1).
    serial: serial === "" ? "1" : serial,
    interfaceClass: STORAGE_CLASS,
    interfaceSubclass: SCSI_SUBCLASS,
    interfaceProtocol: BULK_ONLY,
    classDescriptors: [],
    endpoints: [
      { ...bulk, address: BULK_IN | ENDPOINT_IN },
      { ...bulk, address: BULK_OUT },
    ],
    power: 0,
    remoteWakeup: false,
  };
}

/** Part of the medium that was read ahead of what the host has taken. */
interface Cache {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** A super speed disk on a `BlockStore`: SCSI over the bulk-only transport. */
export class UsbStorage extends UsbFunction implements UsbDevice<UsbStorageState> {
  private readonly disk: ScsiDisk;
  private t = transportResetState();
  private cache: Cache | null = null;
  /** The store works on something that the next step has to wait for. */
  private busy = false;
  private readonly underWay = new WorkUnderWay();
  /** Bumped by every reset, so that late answers of the store are dropped. */
  private generation = 0;

  constructor(private readonly options: UsbStorageOptions) {
    super(identityOf(options.serial), UsbSpeed.Super);
    this.disk = new ScsiDisk(options.store, options.serial);
  }

  reset(): void {
    this.busReset();
  }

  override busReset(): void {
    super.busReset();
    this.disk.reset();
    this.forget();
  }

  save(): UsbStorageState {
    return copyState({
      device: "usb-storage",
      version: 1,
      function: this.saveBase(),
      sense: this.disk.sense,
      transport: this.t,
    });
  }

  restore(saved: UsbStorageState): void {
    checkState(saved, "usb-storage", 1);
    const state = copyState(saved);
    this.forget();
    this.restoreBase(state.function);
    this.disk.sense = state.sense;
    this.t = state.transport;
  }

  /** Resolves when the store has answered everything. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
    this.wakeBoth();
  }

  transferIn(endpoint: number, into: Uint8Array): number {
    if (endpoint !== BULK_IN || !this.configured || this.isHalted(BULK_IN | ENDPOINT_IN)) return STALL;
    if (this.busy || this.underWay.paused) return NAK;
    if (this.t.phase === "data-in") return this.sendData(into);
    return this.t.phase === "status" ? this.sendStatus(into) : NAK;
  }

  transferOut(endpoint: number, data: Uint8Array): number {
    if (endpoint !== BULK_OUT || !this.configured || this.isHalted(BULK_OUT)) return STALL;
    if (this.busy || this.underWay.paused) return NAK;
    if (this.t.phase === "command") return this.takeCommand(data);
    return this.t.phase === "data-out" ? this.takeData(data) : NAK;
  }

  protected classRead({ requestType, request }: SetupPacket): readonly number[] | null {
    const toInterface = (requestType & RequestType.RecipientMask) === RequestType.Interface;
    return toInterface && request === StorageRequest.GetMaxLun ? [0] : null;
  }

  protected classWrite({ requestType, request }: SetupPacket): boolean {
    const toInterface = (requestType & RequestType.RecipientMask) === RequestType.Interface;
    if (!toInterface || request !== StorageRequest.Reset) return false;
    this.forget();
    return true;
  }

  protected override configurationSet(): void {
    this.forget();
  }

  protected override haltCleared(endpoint: number): void {
    if (this.t.wedged) this.halt(endpoint);
  }

  private forget(): void {
    this.generation++;
    this.t = transportResetState();
    this.cache = null;
    this.busy = false;
  }

  private takeCommand(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = bytes.length === CBW_LENGTH ? bytes[14] : 0;
    if (length < 1 || length > 16 || bytes[13] > 15 || view.getUint32(0, true) !== CBW_SIGNATURE) return this.wedge();
    const expected = view.getUint32(8, true);
    const toHost = (bytes[12] & CBW_TO_HOST) !== 0;
    this.t = { ...transportResetState(), tag: view.getUint32(4, true), expected };
    const work = this.disk.execute(bytes.slice(15, 31), bytes[13]);
    this.begin(work, toHost);
    return bytes.length;
  }

  /** Chooses the phase that follows from what the command has to move and what the host expects (6.7). */
  private begin(work: ScsiWork, toHost: boolean): void {
    const { t } = this;
    let moves: "in" | "out" | null = null;
    switch (work.kind) {
      case "answer":
        t.answer = [...work.bytes];
        t.available = work.bytes.length;
        moves = "in";
        break;
      case "read":
      case "write":
        t.offset = work.offset;
        t.available = work.length;
        t.writing = work.kind === "write";
        moves = t.writing ? "out" : "in";
        break;
      case "ignore":
        t.available = work.length;
        moves = work.length === 0 ? null : "out";
        break;
      case "failed":
        t.status = CommandStatus.Failed;
        break;
      case "flush":
        this.work(true, () => this.options.store.flush());
        break;
      default:
        break;
    }
    const wrongWay = moves !== null && t.expected > 0 && (moves === "in") !== toHost;
    if (wrongWay || (moves !== null && t.expected < t.available)) {
      // Cases 2, 3, 7, 8, 10 and 13: the device has, or wants, what the host does not expect.
      t.status = CommandStatus.PhaseError;
      if (wrongWay || t.writing) {
        t.available = 0;
        t.writing = false;
      } else t.available = t.expected;
    }
    t.phase = t.expected === 0 ? "status" : toHost ? "data-in" : "data-out";
  }

  private sendData(into: Uint8Array): number {
    const { t } = this;
    const left = Math.min(t.available, t.expected) - t.position;
    if (left <= 0 || t.status === CommandStatus.Failed) {
      // Less than the host expects: a packet without data ends the phase.
      t.phase = "status";
      return 0;
    }
    const wanted = Math.min(left, into.length);
    const from = t.answer === null ? this.mediumBytes() : Uint8Array.from(t.answer.slice(t.position));
    if (from === null) return this.busy ? NAK : this.sendData(into);
    const length = Math.min(wanted, from.length);
    into.set(from.subarray(0, length));
    t.position += length;
    const short = t.position === t.available && t.available % PACKET !== 0;
    if (t.position === t.expected || short) t.phase = "status";
    return length;
  }

  /** Bytes of the medium from the current position on; null while the store reads them, or if it fails. */
  private mediumBytes(): Uint8Array | null {
    const { cache, t } = this;
    if (cache !== null && cache.start <= t.position && t.position < cache.start + cache.bytes.length)
      return cache.bytes.subarray(t.position - cache.start);
    const length = Math.min(MAX_TRANSFER, Math.min(t.available, t.expected) - t.position);
    const bytes = new Uint8Array(length);
    const start = t.position;
    this.cache = null;
    this.work(
      false,
      () => this.options.store.read(t.offset + start, bytes),
      () => (this.cache = { start, bytes }),
    );
    // A store that answers at once has filled the cache by now.
    return this.filled();
  }

  private filled(): Uint8Array | null {
    return this.cache === null ? null : this.cache.bytes;
  }

  private takeData(data: Uint8Array): number {
    const { t } = this;
    const taken = Math.min(data.length, t.expected - t.position);
    const useful = Math.max(0, Math.min(taken, t.available - t.position));
    const start = t.position - t.tail.length;
    t.position += taken;
    if (t.position === t.expected) t.phase = "status";
    if (!t.writing || t.status !== CommandStatus.Passed || useful === 0) return taken;
    const bytes = new Uint8Array(t.tail.length + useful);
    bytes.set(t.tail);
    bytes.set(data.subarray(0, useful), t.tail.length);
    const whole = bytes.length - (bytes.length % BLOCK_SIZE);
    t.tail = [...bytes.subarray(whole)];
    if (whole > 0) this.work(true, () => this.options.store.write(t.offset + start, bytes.subarray(0, whole)));
    return taken;
  }

  private sendStatus(into: Uint8Array): number {
    const { t } = this;
    const bytes = new Uint8Array(CSW_LENGTH);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, CSW_SIGNATURE, true);
    view.setUint32(4, t.tag, true);
    // What of the expected data was not processed.
    view.setUint32(8, t.expected - Math.min(t.position, t.available), true);
    view.setUint8(12, t.status);
    this.t = transportResetState();
    this.cache = null;
    const length = Math.min(CSW_LENGTH, into.length);
    into.set(bytes.subarray(0, length));
    this.host.wake(BULK_OUT);
    return length;
  }

  private wedge(): number {
    this.halt(BULK_IN | ENDPOINT_IN);
    this.halt(BULK_OUT);
    this.t.wedged = true;
    return STALL;
  }

  /** Lets the store do something; until it is done, both pipes wait. */
  private work(writing: boolean, act: () => void | Promise<void>, done: () => void = () => {}): void {
    const { generation } = this;
    const failed = (error: unknown): void => {
      this.options.onStoreError?.(error);
      if (generation !== this.generation) return;
      this.disk.storeFailed(writing);
      this.t.status = CommandStatus.Failed;
    };
    try {
      const step = act();
      if (!(step instanceof Promise)) return done();
      this.busy = true;
      this.underWay.began();
      void step
        .then(() => {
          if (generation === this.generation) done();
        }, failed)
        .then(() => this.worked(generation));
    } catch (error) {
      failed(error);
    }
  }

  private worked(generation: number): void {
    if (generation === this.generation) {
      this.busy = false;
      this.wakeBoth();
    }
    this.underWay.ended();
  }

  private wakeBoth(): void {
    this.host.wake(BULK_IN | ENDPOINT_IN);
    this.host.wake(BULK_OUT);
  }
}
