// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import { copyState } from "../device.js";
import { Common, COMMON_LENGTH, DeviceStatus, Feature, NO_VECTOR } from "./registers.js";
import type { VirtqueueState } from "./state.js";
import type { Virtqueue } from "./virtqueue.js";

/** The saved fields that belong to the common configuration. */
export interface CommonConfigState {
  status: number;
  deviceFeatureSelect: number;
  driverFeatureSelect: number;
  driverFeatures: [number, number];
  configVector: number;
  configGeneration: number;
  queueSelect: number;
  queues: VirtqueueState[];
}

export interface CommonConfigEvents {
  hasVector(vector: number): boolean;
  /** The driver wrote the device status. */
  statusWritten(before: number, now: number): void;
}

/** Bits 28, 29 and 32: indirect descriptors, event index, version 1. */
const QUEUE_FEATURES = [Feature.IndirectDesc, Feature.EventIdx, Feature.Version1];

/** The common configuration structure of the PCI transport (4.1.4.3) with feature negotiation (2.2, 3.1.1). */
export class CommonConfig {
  status = 0;
  configVector: number = NO_VECTOR;
  private deviceFeatureSelect = 0;
  private driverFeatureSelect = 0;
  private driverFeatures: [number, number] = [0, 0];
  private generation = 0;
  private queueSelect = 0;
  private readonly offered: readonly [number, number];

  constructor(
    private readonly queues: readonly Virtqueue[],
    features: readonly number[],
    private readonly events: CommonConfigEvents,
  ) {
    const words: [number, number] = [0, 0];
    for (const bit of [...features, ...QUEUE_FEATURES]) words[bit >> 5] = (words[bit >> 5] | (1 << (bit & 31))) >>> 0;
    this.offered = words;
  }

  negotiated(bit: number): boolean {
    return (this.driverFeatures[bit >> 5] & (1 << (bit & 31))) !== 0;
  }

  configChanged(): void {
    this.generation = (this.generation + 1) & 0xff;
  }

  powerOn(): void {
    this.reset();
    this.generation = 0;
  }

  /** Reset by the driver: everything but the generation, which must go on, so that a driver sees a change across a reset (2.5.3). */
  reset(): void {
    this.status = 0;
    this.configVector = NO_VECTOR;
    this.deviceFeatureSelect = 0;
    this.driverFeatureSelect = 0;
    this.driverFeatures = [0, 0];
    this.queueSelect = 0;
    for (const queue of this.queues) queue.reset();
  }

  save(): CommonConfigState {
    return {
      status: this.status,
      deviceFeatureSelect: this.deviceFeatureSelect,
      driverFeatureSelect: this.driverFeatureSelect,
      driverFeatures: [...this.driverFeatures],
      configVector: this.configVector,
      configGeneration: this.generation,
      queueSelect: this.queueSelect,
      queues: this.queues.map((queue) => copyState(queue.s)),
    };
  }

  restore(state: CommonConfigState): void {
    this.status = state.status;
    this.deviceFeatureSelect = state.deviceFeatureSelect;
    this.driverFeatureSelect = state.driverFeatureSelect;
    this.driverFeatures = [...state.driverFeatures];
    this.configVector = state.configVector;
    this.generation = state.configGeneration;
    this.queueSelect = state.queueSelect;
    this.queues.forEach((queue, i) => queue.restore(state.queues[i]));
  }

  /** Reads any bytes of the structure; fields may be read in parts. */
  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = (value << 8) | this.readByte(offset + i);
    return value >>> 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (offset >= COMMON_LENGTH) return;
    const queue = this.queues[this.queueSelect] ?? null;
    switch (offset) {
      case Common.DeviceFeatureSelect:
        this.deviceFeatureSelect = value;
        break;
      case Common.DriverFeatureSelect:
        this.driverFeatureSelect = value;
        break;
      case Common.DriverFeature:
        // Features are final once FEATURES_OK is set (3.1.1).
        if (this.driverFeatureSelect < 2 && (this.status & DeviceStatus.FeaturesOk) === 0)
          this.driverFeatures[this.driverFeatureSelect] = value;
        break;
      case Common.ConfigMsixVector:
        this.configVector = this.checkVector(value);
        break;
      case Common.DeviceStatus:
        this.writeStatus(value & 0xff);
        break;
      case Common.QueueSelect:
        this.queueSelect = value & 0xffff;
        break;
      default:
        if (queue !== null) this.writeQueue(queue, offset, size, value);
        break;
    }
  }

  private readByte(offset: number): number {
    const aligned = offset & ~3;
    return (this.readDword(aligned) >>> ((offset & 3) * 8)) & 0xff;
  }

  private readDword(offset: number): number {
    const queue = this.queues[this.queueSelect] ?? null;
    switch (offset) {
      case Common.DeviceFeatureSelect:
        return this.deviceFeatureSelect;
      case Common.DeviceFeature:
        return this.deviceFeatureSelect < 2 ? this.offered[this.deviceFeatureSelect] : 0;
      case Common.DriverFeatureSelect:
        return this.driverFeatureSelect;
      case Common.DriverFeature:
        return this.driverFeatureSelect < 2 ? this.driverFeatures[this.driverFeatureSelect] : 0;
      case Common.ConfigMsixVector:
        return this.configVector | (this.queues.length << 16);
      case Common.DeviceStatus:
        return this.status | (this.generation << 8) | (this.queueSelect << 16);
      default:
        return queue === null ? 0 : this.readQueue(queue, offset);
    }
  }

  private readQueue(queue: Virtqueue, offset: number): number {
    const s = queue.s;
    switch (offset) {
      case Common.QueueSize:
        return s.size | (s.vector << 16);
      case Common.QueueEnable:
        return (s.enabled ? 1 : 0) | (this.queueSelect << 16);
      case Common.QueueDescLow:
        return s.desc[0];
      case Common.QueueDescHigh:
        return s.desc[1];
      case Common.QueueDriverLow:
        return s.driver[0];
      case Common.QueueDriverHigh:
        return s.driver[1];
      case Common.QueueDeviceLow:
        return s.device[0];
      case Common.QueueDeviceHigh:
        return s.device[1];
      default:
        return 0;
    }
  }

  private writeQueue(queue: Virtqueue, offset: number, size: AccessSize, value: number): void {
    const s = queue.s;
    if (offset === Common.QueueMsixVector) {
      s.vector = this.checkVector(value & 0xffff);
      return;
    }
    // The rest is fixed while the queue is in use.
    if (s.enabled) return;
    switch (offset) {
      case Common.QueueSize: {
        const wanted = value & 0xffff;
        if (wanted > 0 && wanted <= queue.maxSize && (wanted & (wanted - 1)) === 0) s.size = wanted;
        break;
      }
      case Common.QueueEnable:
        if ((value & 0xffff) === 1 && (this.status & DeviceStatus.FeaturesOk) !== 0)
          queue.enable(this.negotiated(Feature.IndirectDesc), this.negotiated(Feature.EventIdx));
        break;
      default:
        // 64-bit fields are written as two dwords (4.1.3.1).
        if (size === 4) this.writeAddress(queue, offset, value);
        break;
    }
  }

  private writeAddress(queue: Virtqueue, offset: number, value: number): void {
    const s = queue.s;
    switch (offset) {
      case Common.QueueDescLow:
        s.desc[0] = value;
        break;
      case Common.QueueDescHigh:
        s.desc[1] = value;
        break;
      case Common.QueueDriverLow:
        s.driver[0] = value;
        break;
      case Common.QueueDriverHigh:
        s.driver[1] = value;
        break;
      case Common.QueueDeviceLow:
        s.device[0] = value;
        break;
      case Common.QueueDeviceHigh:
        s.device[1] = value;
        break;
      default:
        break;
    }
  }

  /** A vector that does not exist reads back as NO_VECTOR (4.1.5.1.2). */
  private checkVector(vector: number): number {
    return this.events.hasVector(vector & 0xffff) ? vector & 0xffff : NO_VECTOR;
  }

  private writeStatus(value: number): void {
    const before = this.status;
    let now = value;
    if (now !== 0) {
      // The driver cannot clear bits but by a reset, nor set the one that is ours.
      now = (now & ~DeviceStatus.NeedsReset) | before;
      const accepting = (now & ~before & DeviceStatus.FeaturesOk) !== 0;
      if (accepting && !this.acceptable()) now &= ~DeviceStatus.FeaturesOk;
      if ((now & DeviceStatus.FeaturesOk) === 0) now &= ~DeviceStatus.DriverOk;
    }
    this.status = now;
    this.events.statusWritten(before, now);
  }

  /** Nothing that was not offered, and version 1, since there is no legacy interface. */
  private acceptable(): boolean {
    const [low, high] = this.driverFeatures;
    if ((low & ~this.offered[0]) !== 0 || (high & ~this.offered[1]) !== 0) return false;
    return this.negotiated(Feature.Version1);
  }
}
