// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam, type MsiSink } from "@isola/memory";
import { PciHost } from "../pci/device.js";
import { ECAM_BUS_SIZE } from "../pci/registers.js";
import { VirtioPci } from "../virtio/device.js";
import type { VirtioFunction } from "../virtio/function.js";
import { AVAIL_NO_INTERRUPT, Common, DescFlag, DeviceStatus, Feature, Region } from "../virtio/registers.js";
import { RecordingLine } from "./recorders.js";

/** Where the test machine keeps things. */
export const ECAM_BASE = 0xb000_0000;
export const BAR4_BASE = 0xe000_0000;
export const BAR1_BASE = 0xe100_0000;
const SLOT = 3;
const RAM_SIZE = 4 << 20;
/** Each queue gets 64 KiB of guest memory for its rings; buffers live above them all. */
const QUEUE_SPAN = 0x1_0000;
const BUFFERS = 0x10_0000;

export interface Buffer {
  /** What the device reads; or how many bytes it may write. */
  readonly data?: Uint8Array;
  readonly room?: number;
}

/** A bus with one virtio function in a slot, and a small driver that talks to it as a guest would. */
export class VirtioBench<State> {
  readonly mmio = new Bus("mmio");
  readonly ports = new Bus("ports");
  readonly ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  readonly intx = new RecordingLine();
  readonly messages: [address: number, data: number][] = [];
  readonly failures: string[] = [];
  readonly host: PciHost;
  readonly device: VirtioPci<State>;
  private readonly sizes: number[] = [];
  private readonly seenUsed: number[] = [];
  private nextBuffer = BUFFERS;
  private nextDesc: number[] = [];

  constructor(readonly fn: VirtioFunction<State>) {
    const spaces = { ports: this.ports, mmio: this.mmio };
    const msi: MsiSink = { signal: (address, data) => this.messages.push([address, data]) };
    this.host = new PciHost(spaces);
    this.device = new VirtioPci(fn, {
      spaces,
      ram: this.ram,
      msi,
      intx: this.intx,
      onFailure: (reason) => this.failures.push(reason),
    });
    this.host.attach(SLOT, 0, this.device.pci);
    this.mmio.map(ECAM_BASE, ECAM_BUS_SIZE, this.host.ecamHandler);
  }

  configRead(offset: number, size: 1 | 2 | 4): number {
    return this.mmio.read(ECAM_BASE + (SLOT << 15) + offset, size);
  }

  configWrite(offset: number, size: 1 | 2 | 4, value: number): void {
    this.mmio.write(ECAM_BASE + (SLOT << 15) + offset, size, value);
  }

  /** Offset of the first capability of a kind, or -1; `type` selects among the vendor ones. */
  capability(id: number, type = -1): number {
    for (let at = this.configRead(0x34, 1); at !== 0; at = this.configRead(at + 1, 1))
      if (this.configRead(at, 1) === id && (type < 0 || this.configRead(at + 3, 1) === type)) return at;
    return -1;
  }

  /** Places the BARs and switches on memory decoding and bus mastering. */
  place(): void {
    this.configWrite(0x14, 4, BAR1_BASE);
    this.configWrite(0x20, 4, BAR4_BASE);
    this.configWrite(0x24, 4, 0);
    this.configWrite(4, 2, 6);
  }

  common(field: Common, size: 1 | 2 | 4): number {
    return this.mmio.read(BAR4_BASE + Region.Common + field, size);
  }

  setCommon(field: Common, size: 1 | 2 | 4, value: number): void {
    this.mmio.write(BAR4_BASE + Region.Common + field, size, value);
  }

  get status(): number {
    return this.common(Common.DeviceStatus, 1);
  }

  /** Negotiates version 1 and `features` up to FEATURES_OK; true if the device agreed. */
  negotiate(features: readonly number[] = []): boolean {
    this.setCommon(Common.DeviceStatus, 1, 0);
    this.setCommon(Common.DeviceStatus, 1, DeviceStatus.Acknowledge | DeviceStatus.Driver);
    const words = [0, 0];
    for (const bit of [...features, Feature.Version1]) words[bit >> 5] = (words[bit >> 5]! | (1 << (bit & 31))) >>> 0;
    for (const half of [0, 1]) {
      this.setCommon(Common.DriverFeatureSelect, 4, half);
      this.setCommon(Common.DriverFeature, 4, words[half]!);
    }
    this.setCommon(Common.DeviceStatus, 1, this.status | DeviceStatus.FeaturesOk);
    return (this.status & DeviceStatus.FeaturesOk) !== 0;
  }

  /** Sets up every queue and says DRIVER_OK. */
  start(features: readonly number[] = [], size = 16): this {
    this.place();
    this.negotiate(features);
    const count = this.common(Common.NumQueues, 2);
    for (let queue = 0; queue < count; queue++) this.enableQueue(queue, size);
    this.setCommon(Common.DeviceStatus, 1, this.status | DeviceStatus.DriverOk);
    return this;
  }

  enableQueue(queue: number, size: number): void {
    this.sizes[queue] = size;
    this.seenUsed[queue] = 0;
    this.nextDesc[queue] = 0;
    this.ram.write(this.descAddress(queue), new Uint8Array(QUEUE_SPAN));
    this.setCommon(Common.QueueSelect, 2, queue);
    this.setCommon(Common.QueueSize, 2, size);
    this.setCommon(Common.QueueDescLow, 4, this.descAddress(queue));
    this.setCommon(Common.QueueDriverLow, 4, this.availAddress(queue));
    this.setCommon(Common.QueueDeviceLow, 4, this.usedAddress(queue));
    this.setCommon(Common.QueueEnable, 2, 1);
  }

  descAddress(queue: number): number {
    return (queue + 1) * QUEUE_SPAN;
  }

  availAddress(queue: number): number {
    return this.descAddress(queue) + 0x8000;
  }

  usedAddress(queue: number): number {
    return this.descAddress(queue) + 0xc000;
  }

  writeDesc(queue: number, index: number, address: number, length: number, flags: number, next: number): void {
    this.writeDescAt(this.descAddress(queue) + index * 16, address, length, flags, next);
  }

  writeDescAt(at: number, address: number, length: number, flags: number, next: number): void {
    this.ram.setU32(at, address % 2 ** 32);
    this.ram.setU32(at + 4, Math.floor(address / 2 ** 32));
    this.ram.setU32(at + 8, length);
    this.ram.setU16(at + 12, flags);
    this.ram.setU16(at + 14, next);
  }

  /** Guest memory for a buffer. */
  allocate(length: number): number {
    const at = this.nextBuffer;
    this.nextBuffer += (length + 15) & ~15;
    if (this.nextBuffer > RAM_SIZE) throw new Error("test buffers are used up");
    return at;
  }

  /** Makes a request available; returns the addresses of its buffers. */
  add(queue: number, buffers: readonly Buffer[]): number[] {
    const size = this.sizes[queue]!;
    const first = this.nextDesc[queue]!;
    const addresses = buffers.map((buffer, i) => {
      const length = buffer.data?.length ?? buffer.room ?? 0;
      const address = this.allocate(length);
      if (buffer.data !== undefined) this.ram.write(address, buffer.data);
      const last = i === buffers.length - 1;
      const flags = (buffer.data === undefined ? DescFlag.Write : 0) | (last ? 0 : DescFlag.Next);
      this.writeDesc(queue, (first + i) % size, address, length, flags, (first + i + 1) % size);
      return address;
    });
    this.nextDesc[queue] = (first + buffers.length) % size;
    this.offer(queue, first);
    return addresses;
  }

  /** Puts a descriptor index into the available ring. */
  offer(queue: number, head: number): void {
    const avail = this.availAddress(queue);
    const index = this.ram.u16(avail + 2);
    this.ram.setU16(avail + 4 + 2 * (index % this.sizes[queue]!), head);
    this.ram.setU16(avail + 2, index + 1);
  }

  suppressInterrupts(queue: number, off: boolean): void {
    this.ram.setU16(this.availAddress(queue), off ? AVAIL_NO_INTERRUPT : 0);
  }

  kick(queue: number): void {
    this.mmio.write(BAR4_BASE + Region.Notify + queue * 4, 2, queue);
  }

  /** Requests returned since the last call: descriptor index and bytes written. */
  takeUsed(queue: number): [id: number, length: number][] {
    const used = this.usedAddress(queue);
    const result: [number, number][] = [];
    while (this.seenUsed[queue] !== this.ram.u16(used + 2)) {
      const at = used + 4 + 8 * (this.seenUsed[queue]! % this.sizes[queue]!);
      result.push([this.ram.u32(at), this.ram.u32(at + 4)]);
      this.seenUsed[queue] = (this.seenUsed[queue]! + 1) & 0xffff;
    }
    return result;
  }

  bytes(address: number, length: number): number[] {
    const into = new Uint8Array(length);
    this.ram.read(address, into);
    return [...into];
  }
}
