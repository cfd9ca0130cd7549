// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VirtioConsole, VirtioPci } from "@isola/devices";
import { hostWasm } from "@isola/host-node";
import { DEFAULT_CONFIG, Machine, type MachineConfig } from "@isola/machine";
import { type Bus, NO_IRQ } from "@isola/memory";
import { MemoryStore } from "../../../packages/devices/src/conformance/memory-store.js";
import { RecordingLink } from "../../../packages/devices/src/conformance/recording-link.js";
import { MemoryTree } from "../../../packages/devices/src/virtio-fs/memory-tree.fixture.js";
import { repositoryRoot } from "../../oracle/native-harness.js";
import { BusMap } from "./bus-map.js";

export type Preset = MachineConfig["preset"];

const DISK_SIZE = 1 << 20;
const FLOPPY_SIZE = 1_474_560;
const FIRMWARE_SIZE = 1 << 16;
const NVRAM_SIZE = 1 << 16;
const MEMORY = 16 << 20;
const DISK = "disk";
/** Where registers of the device stand that no board has a place for. */
export const CONSOLE_ADDRESS = 0xd000_0000;
/** All structures of a virtio device on PCI. */
const VIRTIO_REGION_SIZE = 0x4000;

/** cli; 1: hlt; jmp 1b: a processor that only lets time pass. */
const IDLE = Uint8Array.of(0xfa, 0xf4, 0xeb, 0xfd);

function firmware(): Uint8Array {
  const rom = new Uint8Array(FIRMWARE_SIZE);
  rom.set(IDLE, FIRMWARE_SIZE - 16);
  return rom;
}

const built = (name: string): Uint8Array => new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));

/** A machine with every device that its kind of board can have, and a processor that does nothing. */
export class FuzzedMachine {
  readonly map = new BusMap();
  readonly machine: Machine;
  readonly stores: Record<string, MemoryStore> = {};
  readonly links: Record<string, RecordingLink> = {
    virtio: new RecordingLink(),
    e1000: new RecordingLink(),
    rtl8139: new RecordingLink(),
  };

  constructor(readonly preset: Preset) {
    const isPc = preset === "pc";
    const store = (size = DISK_SIZE): string => {
      const name = `${DISK}${Object.keys(this.stores).length}`;
      this.stores[name] = new MemoryStore(size);
      return name;
    };
    const disk = () => ({ store: store(), serial: "FUZZ" });
    const drive = () => ({ kind: "disk", ...disk() }) as const;
    const cdrom = () => ({ kind: "cdrom", store: store() }) as const;
    this.machine = new Machine(
      {
        ...DEFAULT_CONFIG,
        preset,
        memory: MEMORY,
        clock: "virtual",
        entropySeed: 1,
        translation: "off",
        boot: isPc
          ? {
              kind: "firmware",
              file: "bios",
              nvram: { contents: "nvram", store: store(NVRAM_SIZE) },
              videoRom: null,
              order: [],
            }
          : { kind: "flat", file: "idle", address: 0x7c00, mode: "real" },
        disks: [disk(), disk()],
        nvme: [disk()],
        sata: [drive(), cdrom()],
        usb: [{ kind: "keyboard" }, { kind: "tablet" }, drive()],
        networks: [
          { card: "virtio", link: "virtio", mac: "52:54:00:00:00:01" },
          { card: "e1000", link: "e1000", mac: "52:54:00:00:00:02" },
          { card: "rtl8139", link: "rtl8139", mac: "52:54:00:00:00:03" },
        ],
        sound: isPc ? "ac97" : null,
        virtioInputs: ["keyboard", "tablet"],
        gpu: { width: 640, height: 480 },
        balloon: MEMORY,
        vsock: { cid: 3 },
        shares: [{ tree: "tree", tag: "tree" }],
        ide: isPc ? [drive(), drive(), cdrom()] : [],
        floppies: isPc ? [store(FLOPPY_SIZE)] : [],
        serialPorts: 2,
        devices: ["isa-debug-exit", "pc-testdev", "debugcon"],
      },
      {
        wasm: hostWasm,
        modules: { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") },
        clock: { now: () => performance.now() * 1e6, wallTimeMs: () => 0 },
        entropy: { fill: (bytes) => void bytes.fill(0x5a) },
        log: { warn: () => {}, debug: () => {} },
        files: { bios: firmware(), nvram: new Uint8Array(NVRAM_SIZE), idle: IDLE },
        stores: this.stores,
        links: this.links,
        trees: { tree: new MemoryTree() },
        serial: [],
      },
    );
    this.machine.boot();
    const { mmio, ports } = this;
    const device = new VirtioPci(new VirtioConsole({ sink: { write: () => {} } }), {
      spaces: { ports, mmio },
      ram: this.machine.engine.ram,
      msi: { signal: () => {} },
      intx: NO_IRQ,
    });
    mmio.map(CONSOLE_ADDRESS, VIRTIO_REGION_SIZE, device.regionHandler, "virtio-console");
  }

  get ports(): Bus {
    return this.map.bus("I/O ports");
  }

  get mmio(): Bus {
    return this.map.bus("physical memory");
  }

  /** Switches the machine off and on. */
  restart(): void {
    for (const store of Object.values(this.stores)) {
      store.fails = false;
      store.slow = false;
    }
    this.machine.boot();
    this.map.tidy();
  }

  /** Lets time pass, and disks answer. */
  async pass(share: number): Promise<void> {
    for (const store of Object.values(this.stores)) if (store.pending > 0) await store.answer();
    await new Promise((resolve) => setImmediate(resolve));
    const { kind } = this.machine.run(share);
    if (kind !== "yield" && kind !== "idle") this.restart();
  }
}
