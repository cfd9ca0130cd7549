// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam } from "@isola/memory";
import type { Virtqueue } from "./virtqueue.js";

/** What a transport gives to the function behind it. */
export interface VirtioHost {
  readonly ram: GuestRam;
  readonly queues: readonly Virtqueue[];
  /** Whether the driver said DRIVER_OK and broke no rule since. */
  readonly running: boolean;
  /** Whether a feature bit was negotiated. */
  hasFeature(bit: number): boolean;
  /** Requests of queue `index` were returned: interrupts if the driver wants that. */
  used(index: number): void;
  /** The device configuration changed by itself. */
  configChanged(): void;
  /** The driver broke the rules: sets DEVICE_NEEDS_RESET. */
  fail(reason: string): void;
}

/** A virtio device type, whatever the transport. */
export interface VirtioFunction<State> {
  /** Device ID of the specification (5). */
  readonly type: number;
  /** PCI class code, 24 bits. */
  readonly classCode: number;
  /** Feature bit numbers that it offers, besides those of the transport and the queues. */
  readonly features: readonly number[];
  /** Largest size of each queue, powers of two. */
  readonly queueSizes: readonly number[];
  /** Called once, before anything else. */
  attach(host: VirtioHost): void;
  /** Device configuration space; bytes that do not exist read as zero. */
  readConfig(offset: number, size: AccessSize): number;
  writeConfig(offset: number, size: AccessSize, value: number): void;
  /** The driver made requests on a queue, or there may be some. */
  notify(queue: number): void;
  /** Forgets the driver and whatever it asked for. */
  reset(): void;
  save(): State;
  restore(state: State): void;
  /** As for devices; only functions with work that may be left undone have them. */
  pause?(): Promise<void>;
  resume?(): void;
}
