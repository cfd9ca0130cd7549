// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { FileTree } from "@isola/ports";
import { fromBytes } from "../access-width.js";
import type { Pausable } from "../device.js";
import type { Chain } from "../virtio/chain.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { WorkUnderWay } from "../work-under-way.js";
import { Errno, In, Out } from "./fuse-abi.js";
import { type FuseAnswer, FuseServer } from "./fuse-server.js";
import {
  CONFIG_LENGTH,
  FS_CLASS,
  FS_TYPE,
  MAX_IN_FLIGHT,
  MAX_REPLY,
  MAX_REQUEST,
  QUEUE_SIZES,
  TAG_LENGTH,
} from "./registers.js";
import { type VirtioFsState, virtioFsState } from "./state.js";

export interface VirtioFsOptions {
  /** Name by which the guest mounts it: 1 to 36 bytes of ASCII. */
  readonly tag: string;
  readonly tree: FileTree;
}

/** A virtio file system. Requests run side by side; each is returned when the tree has answered. */
export class VirtioFs implements VirtioFunction<VirtioFsState>, Pausable {
  readonly type = FS_TYPE;
  readonly classCode = FS_CLASS;
  readonly features: readonly number[] = [];
  readonly queueSizes = QUEUE_SIZES;
  private host: VirtioHost | null = null;
  private readonly config = new DataView(new ArrayBuffer(CONFIG_LENGTH));
  private readonly server: FuseServer;
  /** Bumped by reset, so that late answers are dropped. */
  private generation = 0;
  private readonly underWay = new WorkUnderWay();

  constructor({ tag, tree }: VirtioFsOptions) {
    for (let i = 0; i < Math.min(tag.length, TAG_LENGTH); i++) this.config.setUint8(i, tag.charCodeAt(i));
    this.config.setUint32(TAG_LENGTH, 1, true);
    this.server = new FuseServer(tree);
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  readConfig(offset: number, size: AccessSize): number {
    return fromBytes(offset, size, (at) => (at < CONFIG_LENGTH ? this.config.getUint8(at) : 0));
  }

  writeConfig(): void {}

  notify(queue: number): void {
    const { host } = this;
    if (host === null || this.underWay.paused || !host.running) return;
    const ring = host.queues[queue];
    do {
      while (this.underWay.count < MAX_IN_FLIGHT && host.running) {
        const chain = ring.pop();
        if (chain === null) break;
        this.start(host, queue, chain);
      }
    } while (this.underWay.count < MAX_IN_FLIGHT && host.running && ring.enableNotify());
  }

  reset(): void {
    this.generation++;
    this.server.reset();
  }

  save(): VirtioFsState {
    return virtioFsState();
  }

  restore(): void {
    this.reset();
  }

  /** Resolves when everything under way has been answered; requests that come meanwhile stay in the queues. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
    for (let queue = 0; queue < QUEUE_SIZES.length; queue++) this.notify(queue);
  }

  private start(host: VirtioHost, queue: number, chain: Chain): void {
    const { generation } = this;
    const length = chain.readableLength;
    const request = new Uint8Array(Math.min(length, MAX_REQUEST));
    chain.read(host.ram, 0, request);
    const room = Math.max(0, Math.min(chain.writableLength - Out.Size, MAX_REPLY));
    this.underWay.began();
    const refused: FuseAnswer = { errno: Errno.Invalid };
    const fits = length >= In.Size && length <= MAX_REQUEST;
    void (fits ? this.server.answer(request, room) : Promise.resolve(refused)).then((answer) => {
      if (this.generation === generation) this.finish(host, queue, chain, request, answer);
      this.underWay.ended();
      this.takeUp();
    });
  }

  private finish(host: VirtioHost, queue: number, chain: Chain, request: Uint8Array, answer: FuseAnswer): void {
    const ring = host.queues[queue];
    if (answer === null || chain.writableLength < Out.Size) {
      ring.push(chain, 0);
    } else {
      const payload = "payload" in answer ? answer.payload : new Uint8Array();
      const header = new Uint8Array(Out.Size);
      const view = new DataView(header.buffer);
      view.setUint32(Out.Length, Out.Size + payload.length, true);
      view.setInt32(Out.Error, "errno" in answer ? -answer.errno : 0, true);
      header.set(request.subarray(In.Unique, In.Unique + 8), Out.Unique);
      chain.write(host.ram, 0, header);
      chain.write(host.ram, Out.Size, payload);
      ring.push(chain, Out.Size + payload.length);
    }
    ring.enableNotify();
    host.used(queue);
  }

  /** After an answer: takes up requests that found no room. */
  private takeUp(): void {
    for (let queue = 0; queue < QUEUE_SIZES.length; queue++)
      if (this.host?.queues[queue].hasAvailable() === true) this.notify(queue);
  }
}
