// SPDX-License-Identifier: Apache-2.0
import { openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import type { Translation } from "@isola/isa-x86";
import { DEFAULT_CONFIG, Machine } from "@isola/machine";
import type { BlockStore } from "@isola/ports";
import { repositoryRoot } from "../oracle/native-harness.js";

const CLUSTER = 0x1000;
const ENTROPY_SEED = 1;

/** What to boot. Files by path. */
export interface BootOptions {
  readonly kernel: string;
  readonly initrd: readonly string[];
  readonly disks: readonly string[];
  readonly append: string;
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
}

/** A disk whose changes stay in memory. It answers at once, so that nothing depends on the host's event loop. */
class TemporaryDisk implements BlockStore {
  readonly size: number;
  readonly readOnly = false;
  private readonly file: number;
  private readonly written = new Map<number, Uint8Array>();

  constructor(path: string) {
    this.size = statSync(path).size;
    this.file = openSync(path, "r");
  }

  read(offset: number, buffer: Uint8Array): void {
    readSync(this.file, buffer, 0, buffer.length, offset);
    this.parts(offset, buffer.length, (cluster, at, from, length) => {
      const own = this.written.get(cluster);
      if (own !== undefined) buffer.set(own.subarray(at, at + length), from);
    });
  }

  write(offset: number, buffer: Uint8Array): void {
    this.parts(offset, buffer.length, (cluster, at, from, length) => {
      let own = this.written.get(cluster);
      if (own === undefined) {
        own = new Uint8Array(CLUSTER);
        readSync(this.file, own, 0, CLUSTER, cluster * CLUSTER);
        this.written.set(cluster, own);
      }
      own.set(buffer.subarray(from, from + length), at);
    });
  }

  flush(): void {}

  close(): void {}

  private parts(
    offset: number,
    length: number,
    part: (cluster: number, at: number, from: number, length: number) => void,
  ): void {
    for (let from = 0; from < length;) {
      const at = (offset + from) % CLUSTER;
      const size = Math.min(CLUSTER - at, length - from);
      part(Math.floor((offset + from) / CLUSTER), at, from, size);
      from += size;
    }
  }
}

/** A whole machine on a virtual clock with repeatable randomness, and what it has printed. */
export class BootMachine {
  readonly machine: Machine;
  private readonly output: Uint8Array[] = [];

  constructor(options: BootOptions, translation: Translation) {
    const built = (name: string): Uint8Array => new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
    const { kernel, initrd, disks, append, memory, cpus } = options;
    const files = Object.fromEntries([kernel, ...initrd].map((path) => [path, new Uint8Array(readFileSync(path))]));
    this.machine = new Machine(
      {
        ...DEFAULT_CONFIG,
        memory,
        cpus,
        disks: disks.map((store, i) => ({ store, serial: `disk${i}` })),
        clock: "virtual",
        entropySeed: ENTROPY_SEED,
        translation,
        boot: { kind: "kernel", kernel, modules: initrd, commandLine: append },
      },
      {
        wasm: hostWasm,
        modules: { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") },
        clock: { now: () => 0, wallTimeMs: () => 0 },
        entropy: { fill: (bytes) => void bytes.fill(0) },
        log: { warn: () => {}, debug: () => {} },
        files,
        stores: Object.fromEntries(disks.map((path) => [path, new TemporaryDisk(path)])),
        serial: [{ write: (bytes) => void this.output.push(bytes.slice()) }],
      },
    );
    this.machine.boot();
  }

  /** Guest RAM. Not a copy. */
  get memory(): Uint8Array {
    const { engine } = this.machine;
    return new Uint8Array(engine.buffer, engine.ram.base, engine.ram.size);
  }

  /** What has come from the first serial port since the last call. */
  takeOutput(): string {
    const text = Buffer.concat(this.output).toString("latin1");
    this.output.length = 0;
    return text;
  }
}
