// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { ScreenPicture, Timer, Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { copyState } from "../device.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { executeRequest, type GpuTarget } from "./commands.js";
import {
  BUDGET,
  Config,
  CONTROL_QUEUE_SIZE,
  CURSOR_QUEUE_SIZE,
  FEATURE_EDID,
  FORMATS,
  GPU_CLASS,
  GPU_TYPE,
  HEADER_SIZE,
  Queue,
  REST_DELAY,
} from "./registers.js";
import { Resource } from "./resource.js";
import { drawScreen } from "./screen.js";
import { packPixels, unpackPixels, type VirtioGpuState, virtioGpuResetState } from "./state.js";

export interface VirtioGpuOptions {
  /** Size of the monitor in pixels, each at most 4095. */
  readonly width: number;
  readonly height: number;
  readonly timers: Timers;
}

/** A virtio display with one screen and no 3D. */
export class VirtioGpu implements VirtioFunction<VirtioGpuState> {
  readonly type = GPU_TYPE;
  readonly classCode = GPU_CLASS;
  readonly features: readonly number[] = [FEATURE_EDID];
  readonly queueSizes: readonly number[] = [CONTROL_QUEUE_SIZE, CURSOR_QUEUE_SIZE];
  private host: VirtioHost | null = null;
  private s = virtioGpuResetState();
  private readonly resources = new Map<number, Resource>();
  /** The last picture, for as long as it is what is shown. */
  private drawn: ScreenPicture | null = null;

  private readonly rest: Timer;

  constructor(private readonly options: VirtioGpuOptions) {
    this.rest = options.timers.create(() => this.notify(Queue.Control));
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  /** What the screen shows now; null while the driver shows nothing. */
  picture(): ScreenPicture | null {
    const { s, resources } = this;
    const shown = resources.get(s.shown);
    if (shown === undefined) return null;
    const image = resources.get(s.cursor) ?? null;
    const cursor = { image, ...s.cursorAt, hotX: s.hot.x, hotY: s.hot.y };
    this.drawn ??= drawScreen(shown, s.area, cursor);
    return this.drawn;
  }

  readConfig(offset: number, size: AccessSize): number {
    // One screen, no events, no capability sets.
    return (offset & ~3) === Config.Scanouts ? partOf(1, offset, size) : 0;
  }

  /** Events are cleared by writing; there are none. */
  writeConfig(): void {}

  notify(queue: number): void {
    const { host } = this;
    if (host === null || !host.running) return;
    const ring = host.queues[queue];
    let left = BUDGET;
    const target = this.target(host, (bytes) => (left -= bytes));
    do {
      while (left > 0) {
        const chain = ring.pop();
        if (chain === null) break;
        const answer = executeRequest(chain, target);
        if (queue === Queue.Control && chain.writableLength < HEADER_SIZE) {
          host.fail("display request without room for an answer");
          return;
        }
        ring.push(chain, chain.write(host.ram, 0, answer));
      }
    } while (left > 0 && ring.enableNotify());
    // A guest that asks for more than a moment's work waits a moment.
    if (left <= 0) this.rest.set(this.options.timers.now() + REST_DELAY);
    host.used(queue);
  }

  reset(): void {
    this.s = virtioGpuResetState();
    this.resources.clear();
    this.drawn = null;
    this.rest.cancel();
  }

  /** Also after a restore: what waits in the rings is taken up. */
  resume(): void {
    this.notify(Queue.Control);
    this.notify(Queue.Cursor);
  }

  save(): VirtioGpuState {
    const resources = [...this.resources].map(([id, { format, width, height, backing, pixels }]) => ({
      ...{ id, format, width, height },
      backing: [...backing],
      pixels: packPixels(pixels),
    }));
    return copyState({ ...this.s, resources });
  }

  restore(saved: VirtioGpuState): void {
    this.reset();
    const { resources, ...state } = copyState(saved);
    this.s = { ...state, resources: [] };
    for (const { id, format, width, height, backing, pixels } of resources) {
      const order = FORMATS.get(format);
      if (order === undefined) continue;
      const resource = new Resource(format, order, width, height);
      resource.attach(backing);
      unpackPixels(pixels, resource.pixels);
      this.resources.set(id, resource);
    }
  }

  private target(host: VirtioHost, spend: (bytes: number) => void): GpuTarget {
    return {
      ram: host.ram,
      resources: this.resources,
      s: this.s,
      width: this.options.width,
      height: this.options.height,
      spend,
      changed: () => {
        this.drawn = null;
      },
    };
  }
}
