// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { ByteSink } from "@isola/ports";
import { partOf } from "../access-width.js";
import { copyState } from "../device.js";
import type { Chain } from "../virtio/chain.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { CHUNK_BYTES, Config, CONSOLE_CLASS, CONSOLE_TYPE, ConsoleFeature, Queue, QUEUE_SIZE } from "./registers.js";
import { type VirtioConsoleState, virtioConsoleResetState } from "./state.js";

export interface VirtioConsoleOptions {
  /** Gets what the guest writes. */
  readonly sink: ByteSink;
  /** Called when the guest has given new buffers after `receive` took less than it was offered. */
  readonly onReceiveReady?: () => void;
}

/** A virtio console with one port (hvc0). */
export class VirtioConsole implements VirtioFunction<VirtioConsoleState> {
  readonly type = CONSOLE_TYPE;
  readonly classCode = CONSOLE_CLASS;
  readonly features: readonly number[] = [ConsoleFeature.Size, ConsoleFeature.EmergencyWrite];
  readonly queueSizes: readonly number[] = [QUEUE_SIZE, QUEUE_SIZE];
  private host: VirtioHost | null = null;
  private s = virtioConsoleResetState();
  private starved = false;

  constructor(private readonly options: VirtioConsoleOptions) {}

  attach(host: VirtioHost): void {
    this.host = host;
  }

  /** Offers input to the guest; returns how many bytes its buffers took. */
  receive(bytes: Uint8Array): number {
    const host = this.host;
    let taken = 0;
    if (host !== null && host.running) {
      const ring = host.queues[Queue.Receive];
      while (taken < bytes.length) {
        const chain = ring.pop();
        if (chain === null) break;
        const written = chain.write(host.ram, 0, bytes.subarray(taken));
        ring.push(chain, written);
        taken += written;
      }
      ring.enableNotify();
      host.used(Queue.Receive);
    }
    this.starved = taken < bytes.length;
    return taken;
  }

  /** Tells the guest the size of the terminal, in characters. */
  resize(columns: number, rows: number): void {
    this.s.columns = columns & 0xffff;
    this.s.rows = rows & 0xffff;
    this.host?.configChanged();
  }

  readConfig(offset: number, size: AccessSize): number {
    // Columns and rows are two halves of the first dword; the rest is for features that are not offered.
    const first = (this.s.columns | (this.s.rows << 16)) >>> 0;
    if (offset >= 4) return 0;
    return partOf(first, offset, size);
  }

  writeConfig(offset: number, _size: AccessSize, value: number): void {
    if (offset === Config.EmergencyWrite) this.options.sink.write(Uint8Array.of(value & 0xff));
  }

  notify(queue: number): void {
    const host = this.host;
    if (host === null || !host.running) return;
    if (queue === Queue.Receive) this.buffersGiven();
    else this.transmit(host);
  }

  /** The terminal keeps its size: it belongs to whoever looks at it, not to the driver. */
  reset(): void {
    this.starved = false;
  }

  save(): VirtioConsoleState {
    return copyState(this.s);
  }

  restore(state: VirtioConsoleState): void {
    this.s = copyState(state);
  }

  private buffersGiven(): void {
    if (!this.starved) return;
    this.starved = false;
    this.options.onReceiveReady?.();
  }

  private transmit(host: VirtioHost): void {
    const ring = host.queues[Queue.Transmit];
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) {
        this.forward(host, chain);
        ring.push(chain, 0);
      }
    } while (ring.enableNotify());
    host.used(Queue.Transmit);
  }

  private forward(host: VirtioHost, chain: Chain): void {
    for (let at = 0; at < chain.readableLength; at += CHUNK_BYTES) {
      const bytes = new Uint8Array(Math.min(CHUNK_BYTES, chain.readableLength - at));
      chain.read(host.ram, at, bytes);
      this.options.sink.write(bytes);
    }
  }
}
