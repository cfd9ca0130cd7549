// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetLink, NetOffload, NetPort } from "@isola/ports";

/** A network that keeps what a card sends, and takes frames only while it has room. */
export class RecordingLink implements NetLink {
  readonly offload: NetOffload = { checksum: true, tcp4: true, tcp6: true };
  readonly frames: (NetFrame & { readonly bytes: Uint8Array })[] = [];
  room = Infinity;
  readies = 0;
  flushes = 0;
  card: NetPort | null = null;

  connect(machine: NetPort): void {
    this.card = machine;
  }

  receive(frame: NetFrame): boolean {
    if (this.room <= 0) return false;
    this.room--;
    const { checksumStart, checksumOffset, segmentSize } = frame;
    this.frames.push({ bytes: frame.bytes.slice(), checksumStart, checksumOffset, segmentSize });
    return true;
  }

  flush(): void {
    this.flushes++;
  }

  ready(): void {
    this.readies++;
  }
}
