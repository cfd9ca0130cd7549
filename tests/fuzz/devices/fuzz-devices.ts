// SPDX-License-Identifier: Apache-2.0
import { writeSync } from "node:fs";
import { parseArgs } from "node:util";
import type { AccessSize } from "@isola/memory";
import { randomSource } from "../../../packages/devices/src/conformance/random-source.js";
import { access, type ClaimedRange } from "./bus-map.js";
import { driverOfDevice, driverOfFunction } from "./driver-of.js";
import type { Driver, DriverTools } from "./driver.js";
import { FuzzedMachine, type Preset } from "./fuzzed-machine.js";
import { PciSlot } from "./pci-slot.js";
import { Values } from "./values.js";

const STDOUT = 1;
const SIZES: readonly AccessSize[] = [1, 2, 4];
/** Accesses after which the machine is switched off and on, so that a device that has gone silent is tried anew. */
const ROUND = 400;
/** Time of the machine in ns that passes at a time. */
const SHARE = 200_000;

/** A device under test. */
interface Target {
  readonly name: string;
  /** The PCI function that it is, if it is one. */
  readonly slot: PciSlot | null;
}

/** Every device on the buses, by the name under which accesses are counted, and every PCI function. */
function targetsOf(machine: FuzzedMachine): Target[] {
  const names = new Set(machine.map.ranges.map(({ device }) => device));
  const slots = Array.from({ length: 256 }, (_, number) => new PciSlot(machine.ports, number));
  return [
    ...[...names].map((name) => ({ name, slot: null })),
    ...slots.filter(({ present }) => present).map((slot) => ({ name: slot.name, slot })),
  ];
}

/** Pokes one device at random. Whatever it is told, nothing may be thrown. */
class Attack {
  private readonly values: Values;
  private readonly tools: DriverTools;
  private ranges: readonly ClaimedRange[] = [];
  private driver: Driver | null = null;

  constructor(
    private readonly fuzzed: FuzzedMachine,
    private readonly target: Target,
    seed: number,
  ) {
    this.values = new Values(randomSource(seed));
    const { mmio, ports, machine } = fuzzed;
    this.tools = { values: this.values, ram: machine.engine.ram, mmio, ports, look: () => this.look() };
  }

  /** Names under which what was attacked counts its accesses. */
  get devices(): readonly string[] {
    return this.ranges.map(({ device }) => device);
  }

  async run(accesses: number): Promise<void> {
    for (let i = 0; i < accesses; i++) {
      if (i % ROUND === 0) this.begin();
      this.step();
      if (this.values.chance(32)) await this.fuzzed.pass(SHARE);
    }
  }

  private begin(): void {
    const { fuzzed, target, values } = this;
    fuzzed.restart();
    for (let i = 0; i < 16; i++) values.scribble(fuzzed.machine.engine.ram);
    this.place();
    if (target.slot === null) this.driver = driverOfDevice(target.name, this.tools);
    this.driver?.start();
  }

  /** Puts a PCI function where it can be reached. */
  private place(): void {
    const { fuzzed, target, values } = this;
    const { ranges } = fuzzed.map;
    if (target.slot === null) this.ranges = ranges.filter(({ device }) => device === target.name);
    else {
      const bars = target.slot.place();
      this.ranges = ranges.filter((range) => bars.includes(range.start() ?? -1));
      this.driver = driverOfFunction(target.slot, bars, this.tools);
    }
    values.registers = this.ranges.flatMap((range) => range.start() ?? []);
  }

  private step(): void {
    const { values, fuzzed, target } = this;
    const { ram } = fuzzed.machine.engine;
    if (values.chance(3)) values.scribble(ram);
    if (values.chance(64)) this.fromOutside();
    if (target.slot !== null && (this.ranges.length === 0 || values.chance(64))) this.configure(target.slot);
    if (this.driver !== null) {
      if (values.chance(64)) this.driver.start();
      // Accesses at random soon make a device deaf to its driver.
      this.driver.request();
      if (!values.chance(16)) return;
    }
    if (this.ranges.length === 0) return;
    const range = values.pick(this.ranges);
    const start = range.start();
    if (start === null) return;
    const size = values.pick(SIZES);
    // Most devices have what matters in the first bytes of a page.
    const offset = values.below(values.chance(2) ? range.length : Math.min(range.length, 64));
    const page = values.chance(4) ? Math.floor(values.below(range.length) / 4096) * 4096 : 0;
    const address = start + Math.min(range.length - 1, offset + page);
    access(range.bus, address, size, values.chance(3) ? null : values.value(ram.size));
  }

  private configure(slot: PciSlot): void {
    const { values, fuzzed } = this;
    const register = slot.anyRegister((limit) => values.below(limit));
    const size = values.pick(SIZES);
    slot.write(register & ~(size - 1), size, values.value(fuzzed.machine.engine.ram.size));
    slot.read(register & ~(size - 1), size);
    if (values.chance(2)) this.place();
  }

  /** Keys, frames, bytes, a disk that fails or takes its time. */
  private fromOutside(): void {
    const { values, fuzzed } = this;
    const { machine } = fuzzed;
    const bytes = Uint8Array.from({ length: 14 + values.below(1500) }, () => values.next());
    switch (values.below(6)) {
      case 0:
        return machine.keyInput({ code: values.below(256), pressed: values.chance(2) });
      case 1:
        return machine.mouseInput({
          dx: values.below(512) - 256,
          dy: values.below(512) - 256,
          wheel: values.below(3) - 1,
          buttons: values.below(8),
          at: { x: values.below(0x8000), y: values.below(0x8000) },
        });
      case 2:
        return void machine.serialInput(values.below(2), bytes);
      case 3: {
        const link = values.pick(Object.values(fuzzed.links));
        link.room = values.chance(2) ? Number.POSITIVE_INFINITY : values.below(4);
        bytes.fill(0xff, 0, 6);
        link.card?.receive({ bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 });
        link.card?.flush();
        link.card?.ready();
        link.frames.length = 0;
        return;
      }
      case 4: {
        const store = values.pick(Object.values(fuzzed.stores));
        store.slow = values.chance(2);
        store.fails = values.chance(4);
        return;
      }
      default:
        this.look();
    }
  }

  private look(): void {
    this.fuzzed.machine.screen();
    this.fuzzed.machine.screenText();
  }
}

/** Attacks the devices of a board; resolves with the exit status of the process. */
export async function devices(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      preset: { type: "string", default: "pc" },
      seed: { type: "string", default: "1" },
      accesses: { type: "string", default: "4000" },
      only: { type: "string", default: "" },
    },
  });
  const fuzzed = new FuzzedMachine(values.preset as Preset);
  const targets = targetsOf(fuzzed).filter(({ name }) => values.only === "" || name === values.only);
  let thrown = 0;
  for (const target of targets) {
    writeSync(STDOUT, `at ${target.name}\n`);
    try {
      const attack = new Attack(fuzzed, target, Number(values.seed));
      await attack.run(Number(values.accesses));
      writeSync(STDOUT, `done ${[...new Set([target.name, ...attack.devices])].join(" ")}\n`);
    } catch (error) {
      thrown++;
      writeSync(STDOUT, `${target.name} made the host throw: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
  return thrown === 0 ? 0 : 1;
}
