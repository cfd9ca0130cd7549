// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from "node:stream";
import type { ByteSink } from "@isola/ports";
import type { Vm } from "@isola/vmm";

/** Typed ahead of the guest beyond this, a console is not read. */
export const MAX_TYPE_AHEAD = 4096;
/** Output of the past that somebody who attaches is shown. */
const RECENT_BYTES = 16 << 10;
/** A reader that is so far behind is cut off: better than a stream with holes. */
const MAX_BACKLOG = 4 << 20;

/** The console of a machine, which several may read and type at: the operator's terminal, and streams that come and go. */
export class ConsoleHub implements ByteSink {
  private readonly viewers = new Set<Duplex>();
  /** Ends with the latest output; twice as large as what is shown, so that it is moved to the front rarely. */
  private readonly latest = new Uint8Array(2 * RECENT_BYTES);
  private filled = 0;

  constructor(private readonly first: ByteSink) {}

  write(bytes: Uint8Array): void {
    this.first.write(bytes);
    this.remember(bytes);
    for (const viewer of this.viewers) {
      viewer.write(bytes.slice());
      if (viewer.writableLength > MAX_BACKLOG) viewer.destroy();
    }
  }

  /** Shows `stream` what the console has said last and says from now on, and types what comes from it. */
  attach(vm: Vm, stream: Duplex): void {
    stream.write(this.latest.slice(Math.max(0, this.filled - RECENT_BYTES), this.filled));
    this.viewers.add(stream);
    const resume = () => stream.resume();
    const unlisten = vm.listen((event) => {
      if (event.type === "input-drained") resume();
    });
    stream.on("data", (bytes: Buffer) => {
      if (vm.state !== "running" && vm.state !== "paused") return;
      vm.perform({ type: "serial-input", port: 0, bytes });
      if (vm.pendingInput(0) > MAX_TYPE_AHEAD) stream.pause();
    });
    stream.on("end", () => stream.end());
    stream.on("close", () => {
      this.viewers.delete(stream);
      unlisten();
    });
  }

  private remember(bytes: Uint8Array): void {
    const { latest } = this;
    const added = bytes.subarray(Math.max(0, bytes.length - RECENT_BYTES));
    if (this.filled + added.length > latest.length) {
      latest.copyWithin(0, this.filled - RECENT_BYTES, this.filled);
      this.filled = RECENT_BYTES;
    }
    latest.set(added, this.filled);
    this.filled += added.length;
  }
}
