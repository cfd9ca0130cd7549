// SPDX-License-Identifier: Apache-2.0
import type { Entropy } from "@isola/ports";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { ENTROPY_CLASS, ENTROPY_TYPE, MAX_REQUEST_BYTES, QUEUE_SIZE } from "./registers.js";
import { type VirtioRngState, virtioRngState } from "./state.js";

/** A virtio source of random bytes. */
export class VirtioRng implements VirtioFunction<VirtioRngState> {
  readonly type = ENTROPY_TYPE;
  readonly classCode = ENTROPY_CLASS;
  readonly features: readonly number[] = [];
  readonly queueSizes: readonly number[] = [QUEUE_SIZE];
  private host: VirtioHost | null = null;

  constructor(private readonly entropy: Entropy) {}

  attach(host: VirtioHost): void {
    this.host = host;
  }

  /** There is no device configuration. */
  readConfig(): number {
    return 0;
  }

  writeConfig(): void {}

  notify(): void {
    const host = this.host;
    if (host === null || !host.running) return;
    const ring = host.queues[0];
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) {
        const bytes = new Uint8Array(Math.min(chain.writableLength, MAX_REQUEST_BYTES));
        this.entropy.fill(bytes);
        ring.push(chain, chain.write(host.ram, 0, bytes));
      }
    } while (ring.enableNotify());
    host.used(0);
  }

  reset(): void {}

  save(): VirtioRngState {
    return virtioRngState();
  }

  restore(): void {}
}
