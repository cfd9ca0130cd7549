// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import { DEFAULT_CONFIG, type DriveConfig, Machine, type MachineConfig } from "@isola/machine";
import type { BlockStore } from "@isola/ports";
import { testTranslation } from "../../packages/isa-x86/src/compiler/policy.fixture.js";
import { repositoryRoot } from "../oracle/native-harness.js";

/** Host time in ns of one share, after which the machine's output is looked at. */
const SHARE = 1_000_000;

function built(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
}

/** A disk in memory; what the guest writes is lost with it. */
export class MemoryDisk implements BlockStore {
  readonly size: number;
  /** @param answersLater reads and writes end in a later turn of the event loop, as those of real disks may */
  constructor(
    readonly bytes: Uint8Array,
    readonly readOnly = false,
    private readonly answersLater = false,
  ) {
    this.size = bytes.length;
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
    return this.answersLater ? Promise.resolve() : undefined;
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    this.bytes.set(buffer, offset);
    return this.answersLater ? Promise.resolve() : undefined;
  }

  flush(): void {}

  close(): void {}
}

export interface PcMedia {
  readonly firmware: Uint8Array;
  readonly videoRom: Uint8Array | null;
  /** Flash for variables below the firmware. */
  readonly nvram?: BlockStore;
  readonly disks?: readonly BlockStore[];
  readonly cdrom?: BlockStore;
  readonly floppy?: BlockStore;
}

/** A `pc` under test: virtual clock, no host around it, everything that it says kept. */
export class PcMachine {
  readonly machine: Machine;
  private readonly serialChunks: Uint8Array[] = [];
  private readonly logChunks: Uint8Array[] = [];
  private picturesTaken = 0;

  constructor(media: PcMedia, changes: Partial<MachineConfig> = {}) {
    const { firmware, videoRom, nvram, disks = [], cdrom, floppy } = media;
    const stores: Record<string, BlockStore> = {};
    const ide: (DriveConfig | null)[] = [null, null, null, null];
    disks.forEach((disk, i) => {
      stores[`disk${i}`] = disk;
      ide[i] = { kind: "disk", store: `disk${i}`, serial: `TEST${i}` };
    });
    if (cdrom !== undefined) {
      stores["cdrom"] = cdrom;
      ide[2] = { kind: "cdrom", store: "cdrom" };
    }
    if (floppy !== undefined) stores["floppy"] = floppy;
    const contents = new Uint8Array(nvram?.size ?? 0);
    if (nvram !== undefined) {
      stores["nvram"] = nvram;
      void nvram.read(0, contents);
    }
    const order = ["disk", "cdrom", "floppy"] as const;
    this.machine = new Machine(
      {
        ...DEFAULT_CONFIG,
        preset: "pc",
        memory: 64 << 20,
        clock: "virtual",
        entropySeed: 1,
        translation: testTranslation(),
        boot: {
          kind: "firmware",
          file: "bios",
          nvram: nvram === undefined ? null : { contents: "nvram", store: "nvram" },
          videoRom: videoRom === null ? null : "video",
          order,
        },
        ide,
        floppies: floppy === undefined ? [] : ["floppy"],
        ...changes,
      },
      {
        wasm: hostWasm,
        modules: { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") },
        clock: { now: () => performance.now() * 1e6, wallTimeMs: () => Date.UTC(2024, 0, 1) + performance.now() },
        entropy: { fill: (bytes) => void bytes.fill(0x5a) },
        log: { warn: () => {}, debug: () => {} },
        files: { bios: firmware, nvram: contents, ...(videoRom === null ? {} : { video: videoRom }) },
        stores,
        serial: [{ write: (bytes) => void this.serialChunks.push(bytes.slice()) }],
        firmwareLog: { write: (bytes) => void this.logChunks.push(bytes.slice()) },
      },
    );
    this.machine.boot();
    this.machine.resumeTime();
  }

  /** What came out of the first serial port. */
  get serial(): string {
    return Buffer.concat(this.serialChunks).toString("latin1");
  }

  /** What the firmware wrote to its log. */
  get log(): string {
    return Buffer.concat(this.logChunks).toString("latin1");
  }

  /** The text screen, lines joined by newlines. */
  get screen(): string {
    return this.machine.screenText()?.join("\n") ?? "";
  }

  /**
   * Runs until `done` says so. Fails, with what can be seen of the machine, when it ends or `seconds` of its own time
   * have passed.
   */
  private async runUntil(done: () => boolean, seconds: number, exited: (code: number) => void): Promise<void> {
    const limit = this.machine.statistics().machine.guestTime + seconds * 1e9;
    while (!done()) {
      const outcome = this.machine.run(SHARE);
      // Disks that answer later do so now.
      await new Promise((resolve) => setImmediate(resolve));
      if (outcome.kind === "reset") this.machine.boot();
      else if (outcome.kind === "debug-exit") exited(outcome.status);
      else if (outcome.kind !== "yield" && outcome.kind !== "idle") throw this.lost(`it ended with ${outcome.kind}`);
      // An idle machine with a virtual clock leaps over a lot of time in one share.
      if (this.machine.statistics().machine.guestTime > limit && !done())
        throw this.lost(`${seconds} s of its time have passed`);
    }
  }

  /** Runs until the guest writes the debug-exit port; resolves with what it wrote. */
  async runToExit(seconds: number): Promise<number> {
    let status = -1;
    await this.runUntil(
      () => status >= 0,
      seconds,
      (code) => (status = code >> 1),
    );
    return status;
  }

  /**
   * Runs until the guest says "picture NAME" on a line of the first serial port, or writes the debug-exit port; resolves with
   * the name or with what it wrote.
   */
  async runToPicture(seconds: number): Promise<string | number> {
    let status = -1;
    const asked = (): string[] => [...this.serial.matchAll(/^picture (.*)\n/gm)].map(([, name]) => name ?? "");
    await this.runUntil(
      () => status >= 0 || asked().length > this.picturesTaken,
      seconds,
      (code) => (status = code >> 1),
    );
    return status >= 0 ? status : (asked()[this.picturesTaken++] ?? "");
  }

  private lost(reason: string): Error {
    const log = this.log.split("\n").slice(-12).join("\n");
    const vcpus = this.machine.describeVcpu(0);
    return new Error(
      `${reason}\n--- screen\n${this.screen.trimEnd()}\n--- serial\n${this.serial}\n--- log\n${log}\n${vcpus}`,
    );
  }
}
