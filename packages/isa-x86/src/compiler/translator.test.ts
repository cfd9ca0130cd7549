// SPDX-License-Identifier: Apache-2.0
import { ARENA_HALF_SIZE, HOT_QUEUE } from "@isola/engine";
import type { WasmHost, WasmModule } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { BareMachine, type BareMachineOptions, CODE } from "../cpu/bare-machine.fixture.js";
import { TRANSLATION_POLICIES, type TranslationPolicy } from "./policy.js";

const [RAX, RCX, RBX] = [0, 1, 3];
const MIB = 1 << 20;
const FAR = 4 * MIB;
/** A half of the cache of decoded blocks holds about so many blocks of one jump. */
const BLOCKS_PER_HALF = ARENA_HALF_SIZE / 128;

/** Background compilation that ends when the test says so. */
class LateHost implements Partial<WasmHost> {
  private ready: (() => void)[] = [];

  readonly compileInBackground = (bytes: Uint8Array): Promise<WasmModule> => {
    const module = new WebAssembly.Module(bytes as BufferSource) as unknown as WasmModule;
    return new Promise((resolve) => this.ready.push(() => resolve(module)));
  };

  get waiting(): number {
    return this.ready.length;
  }

  async finish(): Promise<void> {
    for (const done of this.ready.splice(0)) done();
    await Promise.resolve();
  }
}

const machineWith = (
  policy: Partial<TranslationPolicy>,
  host: Partial<WasmHost> = {},
  ramSize = 16 * MIB,
): BareMachine => new BareMachine(ramSize, null, { translation: { ...TRANSLATION_POLICIES.early, ...policy }, host });

/** `count` blocks from `address` on that return to one another without having been called, so that each is a region of its own. */
function loadTinyBlocks(machine: BareMachine, address: number, count: number): void {
  const size = 16;
  const code = new Uint8Array(count * size);
  const view = new DataView(code.buffer);
  for (let i = 0; i < count; i++) {
    // inc rax; push next; ret
    code.set([0x48, 0xff, 0xc0, 0x68, 0, 0, 0, 0, 0xc3], i * size);
    view.setUint32(i * size + 4, address + (i + 1) * size, true);
  }
  machine.engine.ram.write(address, code);
  machine.load(address + count * size, "");
}

/** Fills memory with jumps to the next instruction: as many blocks in as little memory as possible. */
function loadFlood(machine: BareMachine, address: number, blocks: number): void {
  const code = new Uint8Array(blocks * 2);
  for (let at = 0; at < code.length; at += 2) code[at] = 0xeb;
  machine.engine.ram.write(address, code);
  machine.load(address + code.length, "");
}

describe("instructions by tier", () => {
  /** mov ecx, 1000; 1: inc eax; dec ecx; jnz 1b; hlt */
  const LOOP = "b9e8030000 ffc0 ffc9 75fa";
  const ROUNDS = 5;
  const tiers = (translation: BareMachineOptions["translation"]): number[] => {
    const machine = new BareMachine(16 * MIB, null, translation === undefined ? {} : { translation });
    machine.load(CODE, LOOP);
    let retired = 0;
    for (let i = 0; i < ROUNDS; i++) retired += machine.run();
    const { instructionsInterpreted, instructionsCompiled } = machine.engine.codeCounters(retired);
    expect(instructionsInterpreted + instructionsCompiled).toBe(retired);
    return [instructionsInterpreted, instructionsCompiled];
  };

  it("are all interpreted, or nearly all compiled", () => {
    // With MOV and HLT.
    expect(tiers("off")).toEqual([ROUNDS * 3002, 0]);
    const [interpreted = 0, compiled = 0] = tiers({ ...TRANSLATION_POLICIES.early, threshold: 10 });
    // It is compiled when the first round has ended.
    expect(compiled).toBeGreaterThan((ROUNDS - 1) * 2900);
    expect(interpreted).toBeGreaterThan(2900);
  });

  it("stay counted when code is written, and when its region goes", () => {
    const machine = machineWith({ threshold: 100 });
    let retired = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      machine.load(CODE, `${LOOP} ${"90".repeat(round)}`);
      for (let i = 0; i < ROUNDS; i++) retired += machine.run();
      const { instructionsInterpreted, instructionsCompiled } = machine.engine.codeCounters(retired);
      expect(instructionsInterpreted + instructionsCompiled).toBe(retired);
      expect(instructionsInterpreted).toBeGreaterThan(2900);
      expect(instructionsInterpreted).toBeLessThan(round * 3100);
    }
  });
});

describe("the number of regions", () => {
  it("is bounded, and so are the slots of the table", () => {
    const maxBytes = 100_000;
    const machine = machineWith({ maxBytes });
    const count = 1000;
    loadTinyBlocks(machine, FAR, count);
    for (let round = 1; round <= 16; round++) {
      machine.run(FAR);
      expect(machine.get(RAX)).toBe(BigInt(round * count));
      const { live, slots } = machine.engine.translator.statistics;
      // No region has less than 400 bytes; one batch, the queue of hot blocks, may come on top.
      expect(live).toBeLessThanOrEqual(maxBytes / 400 + 512);
      expect(slots).toBeLessThanOrEqual(maxBytes / 400 + 512);
    }
    const { evicted, regions } = machine.engine.translator.statistics;
    expect(evicted).toBeGreaterThan(0);
    expect(regions).toBeGreaterThan(1000);
  });

  it("does not grow when code is written again and again", () => {
    const machine = machineWith({});
    // mov ecx,10; 1: add eax,1; dec ecx; jne 1
    for (let round = 0; round < 100; round++) {
      machine.load(CODE, `b90a000000 83c0${(round & 0x7f).toString(16).padStart(2, "0")} ffc9 75f9`);
      machine.set(RAX, 0);
      for (let i = 0; i < 3; i++) machine.run();
      expect(machine.get(RAX)).toBe(BigInt(30 * (round & 0x7f)));
    }
    const { live, slots, regions } = machine.engine.translator.statistics;
    expect(regions).toBeGreaterThan(50);
    expect(live).toBeLessThan(10);
    expect(slots).toBeLessThan(10);
  });
});

describe("promotion", () => {
  it("takes a function into the region of its caller once that is entered often", () => {
    const machine = machineWith({ threshold: 20, minimumHeat: 20, promotion: 50 });
    // Too many blocks to come along with every caller: inc rbx; jmp to the next, and in the end ret.
    machine.load(FAR, "48ffc3 eb00".repeat(7) + "c3");
    // mov ecx,4; 1: call FAR; dec ecx; jne 1
    const distance = new DataView(new ArrayBuffer(4));
    distance.setInt32(0, FAR - (CODE + 10), true);
    machine.load(CODE, `b904000000 e8${distance.getUint32(0).toString(16).padStart(8, "0")} ffc9 75f7`);
    const { statistics } = machine.engine.translator;
    const run = (times: number): void => {
      for (let i = 0; i < times; i++) machine.run();
    };
    run(10);
    expect(statistics.regions).toBeGreaterThan(0);
    expect(statistics.promoted).toBe(0);
    run(60);
    expect(statistics.promoted).toBe(1);
    expect(statistics.live).toBeLessThan(statistics.regions);
    expect(machine.get(RBX)).toBe(BigInt(70 * 4 * 7));
  });
});

describe("compilation in the background", () => {
  it("goes on with the interpreter until the module is ready", async () => {
    const host = new LateHost();
    const machine = machineWith({ background: true }, host);
    machine.load(CODE, "b964000000 48ffc3 ffc9 75f9");
    for (let i = 0; i < 3; i++) machine.run();
    expect(host.waiting).toBe(1);
    expect(machine.engine.translator.statistics.regions).toBe(0);
    await host.finish();
    machine.run();
    expect(machine.engine.translator.statistics.regions).toBe(1);
    expect(machine.get(RBX)).toBe(400n);
  });

  it("throws away what has been changed meanwhile, and compiles it again when it is hot again", async () => {
    const host = new LateHost();
    const machine = machineWith({ background: true }, host);
    machine.load(CODE, "b964000000 48ffc3 ffc9 75f9");
    for (let i = 0; i < 3; i++) machine.run();
    expect(host.waiting).toBe(1);
    // add rbx,2 in place of inc rbx; nop
    machine.load(CODE, "b964000000 4883c302 ffc9 75f8");
    await host.finish();
    machine.set(RBX, 0);
    for (let i = 0; i < 3; i++) machine.run();
    expect(machine.get(RBX)).toBe(600n);
    await host.finish();
    machine.run();
    expect(machine.engine.translator.statistics.regions).toBe(1);
    expect(machine.get(RBX)).toBe(800n);
  });

  it("makes one region of blocks that become hot together, and another where one of them is entered from elsewhere", async () => {
    const host = new LateHost();
    const machine = machineWith({ threshold: 40, background: true }, host);
    // mov ecx,100; 1: inc rbx; test ecx,1; je 2; inc rax; 2: dec ecx; jne 1
    machine.load(CODE, "b964000000 48ffc3 f6c101 7403 48ffc0 ffc9 75f1");
    machine.run();
    expect(host.waiting).toBe(1);
    await host.finish();
    machine.run();
    expect(host.waiting).toBe(0);
    expect(machine.engine.translator.statistics.regions).toBe(1);
    for (let i = 0; i < 13; i++) {
      machine.set(RCX, 1);
      machine.run(CODE + 13);
    }
    await host.finish();
    machine.run();
    expect(machine.engine.translator.statistics.regions).toBe(2);
    expect(machine.get(RBX)).toBe(300n);
    expect(machine.get(RAX)).toBe(163n);
  });

  it("makes a block hot again whose region went because another block of it was changed", async () => {
    const host = new LateHost();
    const machine = machineWith({ background: true }, host);
    // mov ecx,100; 1: inc rbx; test ecx,1; je 2; inc rax; 2: dec ecx; jne 1
    machine.load(CODE, "b964000000 48ffc3 f6c101 7403 48ffc0 ffc9 75f1");
    for (let i = 0; i < 3; i++) machine.run();
    expect(host.waiting).toBe(1);
    // The second half of the loop changes: inc rax becomes dec rax.
    machine.engine.ram.setU8(CODE + 15, 0xc8);
    await host.finish();
    machine.run();
    await host.finish();
    for (let i = 0; i < 3; i++) machine.run();
    await host.finish();
    machine.run();
    expect(machine.engine.translator.statistics.regions).toBeGreaterThan(0);
    expect(machine.get(RBX)).toBe(800n);
  });

  it("forgets regions, half compiled ones and hot blocks when their memory is used again", async () => {
    const host = new LateHost();
    const machine = machineWith({ background: true }, host);
    const { view, translator } = machine.engine;
    const tiny = FAR + 2 * MIB;
    const runs = (address: number, count: number): void => {
      for (let i = 0; i < count; i++) machine.run(address);
    };
    machine.load(CODE, "b964000000 48ffc3 ffc9 75f9");
    runs(CODE, 3);
    await host.finish();
    runs(CODE, 1);
    expect(translator.statistics.live).toBe(1);
    loadTinyBlocks(machine, tiny, 100);
    loadTinyBlocks(machine, tiny + 0x1000, 100);
    runs(tiny, 4);
    expect(host.waiting).toBe(1);
    runs(tiny + 0x1000, 4);
    expect(view.getUint32(HOT_QUEUE, true)).toBeGreaterThanOrEqual(100);
    loadFlood(machine, FAR, Math.ceil(2.1 * BLOCKS_PER_HALF));
    runs(FAR, 1);
    expect(view.getUint32(HOT_QUEUE, true)).toBe(0);
    expect(translator.statistics.live).toBe(0);
    await host.finish();
    runs(CODE, 1);
    runs(tiny, 1);
    expect(machine.get(RBX)).toBe(500n);
    expect(machine.get(RAX)).toBe(900n);
  });
});
