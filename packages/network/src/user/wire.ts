// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetOffload, NetPort } from "@isola/ports";
import { plainFrame } from "../frame/plain-frame.js";

/** Frames that wait for room; what comes beyond them is lost, as in any switch. */
const MAX_QUEUED = 256;
const NOTHING: NetOffload = { checksum: false, tcp4: false, tcp6: false };

/** The cable towards the guests, and a short queue for what cannot be sent again by its sender. */
export class Wire {
  /** Frames lost for want of room. */
  dropped = 0;
  private peer: NetPort | null = null;
  private queue: Uint8Array[] = [];
  private full = false;

  connect(peer: NetPort): void {
    this.peer = peer;
  }

  get offload(): NetOffload {
    return this.peer?.offload ?? NOTHING;
  }

  /** Sends a frame whose sender tries again after `ready`; false if there is no room. */
  send(frame: NetFrame): boolean {
    if (this.peer === null) return true;
    if (this.full) return false;
    this.full = !this.peer.receive(frame);
    return !this.full;
  }

  /** Sends a complete frame now or later. `bytes` may be used again by the caller. */
  post(bytes: Uint8Array): void {
    if (this.queue.length === 0 && this.send(plainFrame(bytes))) return;
    if (this.queue.length < MAX_QUEUED) this.queue.push(bytes.slice());
    else this.dropped++;
  }

  flush(): void {
    this.peer?.flush();
  }

  /** There may be room again. True if all that waited has left. */
  ready(): boolean {
    this.full = false;
    while (this.queue.length > 0) {
      if (!this.send(plainFrame(this.queue[0]))) return false;
      this.queue.shift();
    }
    return true;
  }
}
