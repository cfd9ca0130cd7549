// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { Timer, Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { copyState } from "../device.js";
import { Chain } from "../virtio/chain.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import {
  BALLOON_CLASS,
  BALLOON_TYPE,
  BalloonFeature,
  BUDGET,
  Config,
  MAX_PAGES,
  MAX_REPORT,
  PAGE_SIZE,
  Queue,
  QUEUE_SIZE,
  QUEUES,
  REST_DELAY,
  STATISTIC_SIZE,
  STATISTICS,
} from "./registers.js";
import { type GuestMemory, type VirtioBalloonState, virtioBalloonResetState } from "./state.js";

export interface VirtioBalloonOptions {
  /** RAM of the machine in bytes. */
  readonly memory: number;
  /** What the guest is to get by with from the start, in bytes. */
  readonly target: number;
  readonly timers: Timers;
  /** Clears a range of guest RAM and gives it back to the host; false if it is not RAM. */
  release(address: number, length: number): boolean;
}

/** How a balloon stands. */
export interface BalloonReport {
  /** Bytes that the guest is asked to get by with, and that it has now. */
  readonly target: number;
  readonly memory: number;
  /** Bytes that were given back to the host since the start, those that were taken again included. */
  readonly released: number;
  /** What the guest said last of its memory. */
  readonly guest: GuestMemory;
}

/** A virtio memory balloon with statistics and free page reporting. */
export class VirtioBalloon implements VirtioFunction<VirtioBalloonState> {
  readonly type = BALLOON_TYPE;
  readonly classCode = BALLOON_CLASS;
  readonly features: readonly number[] = [
    BalloonFeature.Statistics,
    BalloonFeature.DeflateOnOom,
    BalloonFeature.PageReporting,
  ];
  readonly queueSizes: readonly number[] = Array.from({ length: QUEUES }, () => QUEUE_SIZE);
  private host: VirtioHost | null = null;
  private s: VirtioBalloonState;
  private readonly rest: Timer;

  constructor(private readonly options: VirtioBalloonOptions) {
    this.s = virtioBalloonResetState(this.pagesFor(options.target));
    this.rest = options.timers.create(() => this.resume());
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  /** Asks the guest to get by with so many bytes of RAM. */
  setTarget(memory: number): void {
    this.s.wanted = this.pagesFor(memory);
    this.host?.configChanged();
  }

  /** How it stands; asks the guest for newer statistics, which a later report has. */
  report(): BalloonReport {
    const { s, options } = this;
    this.askForStatistics();
    return {
      target: options.memory - s.wanted * PAGE_SIZE,
      memory: Math.max(0, options.memory - s.actual * PAGE_SIZE),
      released: s.released,
      guest: { ...s.statistics },
    };
  }

  readConfig(offset: number, size: AccessSize): number {
    const at = offset & ~3;
    if (at === Config.Wanted) return partOf(this.s.wanted, offset, size);
    return at === Config.Actual ? partOf(this.s.actual, offset, size) : 0;
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    if (offset === Config.Actual && size === 4) this.s.actual = value;
  }

  notify(queue: number): void {
    const { host } = this;
    if (host === null || !host.running) return;
    if (queue === Queue.Deflate) this.takeBack(host);
    else if (queue === Queue.Inflate) this.serve(host, queue, (chain) => this.inflate(host, chain));
    else if (queue === this.statisticsQueue(host)) this.takeStatistics(host, queue);
    else if (queue === this.reportingQueue(host)) this.serve(host, queue, (chain) => this.freePages(chain));
  }

  reset(): void {
    this.s = { ...virtioBalloonResetState(this.s.wanted), released: this.s.released };
    this.rest.cancel();
  }

  save(): VirtioBalloonState {
    return copyState(this.s);
  }

  restore(state: VirtioBalloonState): void {
    this.s = copyState(state);
  }

  /** Also after a restore: what waits in the rings is taken up. */
  resume(): void {
    for (let queue = 0; queue < QUEUES; queue++) this.notify(queue);
  }

  private pagesFor(memory: number): number {
    const total = Math.floor(this.options.memory / PAGE_SIZE);
    return Math.max(0, Math.min(total, total - Math.ceil(memory / PAGE_SIZE)));
  }

  /** Number of the statistics queue, or -1 without that feature. */
  private statisticsQueue(host: VirtioHost): number {
    return host.hasFeature(BalloonFeature.Statistics) ? Queue.First : -1;
  }

  private reportingQueue(host: VirtioHost): number {
    if (!host.hasFeature(BalloonFeature.PageReporting)) return -1;
    return host.hasFeature(BalloonFeature.Statistics) ? Queue.First + 1 : Queue.First;
  }

  /** Takes requests that cost time; `act` says how many bytes it has cleared, or -1 if the driver broke the rules. */
  private serve(host: VirtioHost, queue: number, act: (chain: Chain) => number): void {
    const ring = host.queues[queue];
    let left = BUDGET;
    do {
      while (left > 0) {
        const chain = ring.pop();
        if (chain === null) break;
        const cleared = act(chain);
        if (cleared < 0) return;
        left -= cleared;
        this.s.released += cleared;
        ring.push(chain, 0);
      }
    } while (left > 0 && ring.enableNotify());
    if (left <= 0) this.rest.set(this.options.timers.now() + REST_DELAY);
    host.used(queue);
  }

  /** The driver gives pages, by their numbers. Neighbours are given back in one piece. */
  private inflate(host: VirtioHost, chain: Chain): number {
    if (chain.readableLength > MAX_PAGES * 4) {
      host.fail("balloon request with too many pages");
      return -1;
    }
    const bytes = new Uint8Array(chain.readableLength);
    chain.read(host.ram, 0, bytes);
    const view = new DataView(bytes.buffer);
    const pages = Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(i * 4, true)).sort(
      (a, b) => a - b,
    );
    let cleared = 0;
    for (let at = 0; at < pages.length;) {
      let end = at + 1;
      while (end < pages.length && pages[end] === pages[end - 1] + 1) end++;
      const length = (end - at) * PAGE_SIZE;
      if (this.options.release(pages[at] * PAGE_SIZE, length)) cleared += length;
      at = end;
    }
    return cleared;
  }

  /** The driver says which memory it does not use; it will not use it before this is answered (5.5.6.7). */
  private freePages(chain: Chain): number {
    let cleared = 0;
    for (const { address, length } of chain.writable) {
      const start = Math.ceil(address / PAGE_SIZE) * PAGE_SIZE;
      const end = Math.floor((address + length) / PAGE_SIZE) * PAGE_SIZE;
      if (end <= start || cleared + end - start > MAX_REPORT) continue;
      if (this.options.release(start, end - start)) cleared += end - start;
    }
    return cleared;
  }

  /** Pages that the driver takes back need nothing: the host gives them when they are touched. */
  private takeBack(host: VirtioHost): void {
    const ring = host.queues[Queue.Deflate];
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) ring.push(chain, 0);
    } while (ring.enableNotify());
    host.used(Queue.Deflate);
  }

  /** Reads statistics and keeps the buffer until newer ones are wanted (5.5.6.3). */
  private takeStatistics(host: VirtioHost, queue: number): void {
    const ring = host.queues[queue];
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) {
        this.readStatistics(host, chain);
        if (this.s.statisticsBuffer >= 0) ring.push(new Chain(this.s.statisticsBuffer), 0);
        this.s.statisticsBuffer = chain.head;
      }
    } while (ring.enableNotify());
    host.used(queue);
  }

  private readStatistics(host: VirtioHost, chain: Chain): void {
    const bytes = new Uint8Array(Math.min(chain.readableLength, QUEUE_SIZE * STATISTIC_SIZE));
    chain.read(host.ram, 0, bytes);
    const view = new DataView(bytes.buffer);
    const statistics: GuestMemory = {};
    for (let at = 0; at + STATISTIC_SIZE <= bytes.length; at += STATISTIC_SIZE) {
      const name = STATISTICS[view.getUint16(at, true)];
      if (name !== undefined) statistics[name] = view.getUint32(at + 2, true) + view.getUint32(at + 6, true) * 2 ** 32;
    }
    this.s.statistics = statistics;
  }

  private askForStatistics(): void {
    const { host, s } = this;
    if (host === null || !host.running || s.statisticsBuffer < 0) return;
    const queue = this.statisticsQueue(host);
    if (queue < 0) return;
    host.queues[queue].push(new Chain(s.statisticsBuffer), 0);
    s.statisticsBuffer = -1;
    host.used(queue);
  }
}
