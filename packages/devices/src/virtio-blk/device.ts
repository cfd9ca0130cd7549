// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { fromBytes } from "../access-width.js";
import type { Pausable } from "../device.js";
import type { Chain } from "../virtio/chain.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { WorkUnderWay } from "../work-under-way.js";
import { BounceBuffers } from "./bounce-buffers.js";
import {
  BLOCK_CLASS,
  BLOCK_TYPE,
  BlockFeature,
  Config,
  HEADER_SIZE,
  MAX_IN_FLIGHT,
  MAX_RANGE_SECTORS,
  MAX_RANGES,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTS,
  QUEUE_SIZE,
  SECTOR_SIZE,
} from "./registers.js";
import { execute, type RequestResult } from "./request.js";
import { type VirtioBlkState, virtioBlkState } from "./state.js";

export interface VirtioBlkOptions {
  readonly store: BlockStore;
  /** Serial number shown to the guest, at most 20 ASCII characters. */
  readonly serial: string;
  /** Request queues, 1 by default. */
  readonly queues?: number;
  /** Called with each error of the store; the guest only learns that its request failed. */
  readonly onStoreError?: (error: unknown) => void;
}

/** A virtio disk on a `BlockStore`. Requests run side by side; each is returned when the store has answered. */
export class VirtioBlk implements VirtioFunction<VirtioBlkState>, Pausable {
  readonly type = BLOCK_TYPE;
  readonly classCode = BLOCK_CLASS;
  readonly features: readonly number[];
  readonly queueSizes: readonly number[];
  private host: VirtioHost | null = null;
  private readonly config: DataView;
  private readonly buffers = new BounceBuffers();
  /** Bumped by reset, so that late answers of the store are dropped. */
  private generation = 0;
  private readonly underWay = new WorkUnderWay();

  constructor(private readonly options: VirtioBlkOptions) {
    const { store } = options;
    const queues = options.queues ?? 1;
    this.queueSizes = Array.from({ length: queues }, () => QUEUE_SIZE);
    const features: number[] = [BlockFeature.SizeMax, BlockFeature.SegMax, BlockFeature.BlkSize, BlockFeature.Flush];
    if (queues > 1) features.push(BlockFeature.MultiQueue);
    if (store.readOnly) features.push(BlockFeature.ReadOnly);
    else {
      features.push(BlockFeature.WriteZeroes);
      if (store.discard !== undefined) features.push(BlockFeature.Discard);
    }
    this.features = features;
    this.config = configOf(store, queues);
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  readConfig(offset: number, size: AccessSize): number {
    return fromBytes(offset, size, (at) => (at < Config.Length ? this.config.getUint8(at) : 0));
  }

  /** Nothing of the configuration is writable. */
  writeConfig(): void {}

  notify(queue: number): void {
    const host = this.host;
    if (host === null || this.underWay.paused || !host.running) return;
    const ring = host.queues[queue];
    do {
      // What finds no room stays in the ring until an answer makes some.
      while (this.underWay.count < MAX_IN_FLIGHT && host.running) {
        const chain = ring.pop();
        if (chain === null) break;
        this.start(host, queue, chain);
      }
    } while (this.underWay.count < MAX_IN_FLIGHT && host.running && ring.enableNotify());
    host.used(queue);
  }

  reset(): void {
    this.generation++;
  }

  save(): VirtioBlkState {
    return virtioBlkState();
  }

  restore(): void {
    this.generation++;
  }

  /** Resolves when the store has answered everything; requests that come meanwhile stay in the rings. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
    for (let queue = 0; queue < this.queueSizes.length; queue++) this.notify(queue);
  }

  private start(host: VirtioHost, queue: number, chain: Chain): void {
    if (chain.readableLength < HEADER_SIZE || chain.writableLength < 1) {
      host.fail("block request without header or status");
      return;
    }
    const generation = this.generation;
    const result = execute(chain, {
      ram: host.ram,
      store: this.options.store,
      buffers: this.buffers,
      serial: this.options.serial,
      isCurrent: () => this.generation === generation,
      failed: (error) => this.options.onStoreError?.(error),
    });
    if (!(result instanceof Promise)) {
      this.finish(host, queue, chain, result);
      return;
    }
    this.underWay.began();
    void result.then((answer) => {
      if (this.generation === generation) {
        this.finish(host, queue, chain, answer);
        host.used(queue);
      }
      this.underWay.ended();
      this.takeUp();
    });
  }

  private finish(host: VirtioHost, queue: number, chain: Chain, result: RequestResult): void {
    chain.write(host.ram, chain.writableLength - 1, Uint8Array.of(result.status));
    host.queues[queue].push(chain, result.written + 1);
  }

  /** After an answer of the store: takes up requests that found no room. */
  private takeUp(): void {
    for (let queue = 0; queue < this.queueSizes.length; queue++) {
      if (this.host?.queues[queue].hasAvailable() === true) this.notify(queue);
    }
  }
}

function configOf(store: BlockStore, queues: number): DataView {
  const config = new DataView(new ArrayBuffer(Config.Length));
  const sectors = Math.floor(store.size / SECTOR_SIZE);
  config.setUint32(Config.Capacity, sectors % 2 ** 32, true);
  config.setUint32(Config.Capacity + 4, Math.floor(sectors / 2 ** 32), true);
  config.setUint32(Config.SizeMax, MAX_SEGMENT_BYTES, true);
  config.setUint32(Config.SegMax, MAX_SEGMENTS, true);
  config.setUint32(Config.BlkSize, SECTOR_SIZE, true);
  config.setUint16(Config.NumQueues, queues, true);
  config.setUint32(Config.MaxDiscardSectors, MAX_RANGE_SECTORS, true);
  config.setUint32(Config.MaxDiscardSegments, MAX_RANGES, true);
  config.setUint32(Config.DiscardAlignment, 1, true);
  config.setUint32(Config.MaxWriteZeroesSectors, MAX_RANGE_SECTORS, true);
  config.setUint32(Config.MaxWriteZeroesSegments, MAX_RANGES, true);
  return config;
}
