// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { AudioOutput } from "../audio-output/device.js";
import type { AudioOutputState } from "../audio-output/state.js";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { RecordingAudio } from "../conformance/recording-audio.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { Ac97 } from "./device.js";
import { EngineReg, GlobalReg, Mixer } from "./registers.js";
import type { Ac97State } from "./state.js";

const RAM_SIZE = 1 << 20;
const [LIST, SOUND] = [0x1000, 0x1_0000];
const [IN, OUT, MIC] = [0, 0x10, 0x20];

function makeCard(clock = new FakeClock()) {
  const spaces = { ports: new Bus("ports"), mmio: new Bus("mmio") };
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const sound = new RecordingAudio();
  const intx = new RecordingLine();
  const output = new AudioOutput(clock, sound);
  const card = new Ac97({ spaces, ram, intx, output });
  card.reset();
  card.pci.config.write(4, 2, 5);
  const mixer = (register: number, value: number) => card.mixerHandler.write(register, 2, value);
  const put = (register: number, size: 1 | 2 | 4, value: number) => card.busMasterHandler.write(register, size, value);
  const get = (register: number, size: 1 | 2 | 4) => card.busMasterHandler.read(register, size);
  return { card, ram, sound, intx, output, clock, mixer, put, get };
}

/** A card with volumes up and buffers of `frames` frames each, which count up from zero on the left and down on the right. */
function loaded(buffers: number, frames: number, interruptEvery = 1) {
  const bench = makeCard();
  const { ram, mixer, put } = bench;
  mixer(Mixer.Master, 0);
  mixer(Mixer.PcmOut, 0x0808);
  for (let i = 0; i < buffers * frames; i++) {
    ram.setU16(SOUND + 4 * i, i & 0x7fff);
    ram.setU16(SOUND + 4 * i + 2, -i & 0xffff);
  }
  for (let i = 0; i < 32; i++) {
    ram.setU32(LIST + 8 * i, SOUND + 4 * frames * i);
    const interrupts = i % interruptEvery === interruptEvery - 1 ? 0x8000_0000 : 0;
    ram.setU32(LIST + 8 * i + 4, (interrupts | (2 * frames)) >>> 0);
  }
  put(OUT + EngineReg.ListBase, 4, LIST);
  put(OUT + EngineReg.LastValid, 1, buffers - 1);
  return bench;
}

deviceConformance<Ac97State & { output: AudioOutputState }>("ac97", (clock) => {
  const { card, output, ram, put, mixer } = makeCard(clock);
  for (let i = 0; i < 512; i++) ram.setU32(LIST + 4 * i, i % 2 === 0 ? SOUND + i * 64 : 0x8000_0000 | (i * 3));
  const engine = (random: () => number) => 16 * (random() % 3);
  return {
    device: {
      reset: () => {
        output.reset();
        card.reset();
      },
      save: () => ({ ...card.save(), output: output.save() }),
      restore: (state) => {
        card.restore(state);
        output.restore(state.output);
      },
    },
    ranges: [
      { handler: card.mixerHandler, length: 256 },
      { handler: card.busMasterHandler, length: 64 },
    ],
    pokes: [
      () => card.pci.config.write(4, 2, 5),
      (random) => put(engine(random) + EngineReg.ListBase, 4, LIST + (random() % 16) * 8),
      (random) => put(engine(random) + EngineReg.LastValid, 1, random()),
      (random) => put(engine(random) + EngineReg.Control, 1, 0x1d),
      () => mixer(Mixer.ExtendedControl, 9),
      (random) => mixer(Mixer.FrontRate, random() & 0xffff),
    ],
  };
});

describe("ac97", () => {
  it("has a codec that drivers know", () => {
    const { card, mixer, get, put } = makeCard();
    const read = (register: number) => card.mixerHandler.read(register, 2);
    expect([read(0x7c), read(0x7e), read(Mixer.PowerDown)]).toEqual([0x8384, 0x7600, 0xf]);
    expect(get(GlobalReg.Status, 4) & 0x100).toBe(0x100);
    mixer(Mixer.Master, 0x2020);
    expect(read(Mixer.Master)).toBe(0x1f1f);
    mixer(Mixer.FrontRate, 44_100);
    expect(read(Mixer.FrontRate)).toBe(48_000);
    mixer(Mixer.ExtendedControl, 1);
    mixer(Mixer.FrontRate, 44_100);
    expect(read(Mixer.FrontRate)).toBe(44_100);
    mixer(Mixer.PowerDown, 0x0300);
    expect(read(Mixer.PowerDown)).toBe(0x030c);
    mixer(Mixer.Reset, 0);
    expect([read(Mixer.Master), read(Mixer.FrontRate)]).toEqual([0x8000, 48_000]);
    // The semaphore of the codec.
    expect([get(GlobalReg.CodecAccess, 1), get(GlobalReg.CodecAccess, 1)]).toEqual([0, 1]);
    read(0);
    expect(get(GlobalReg.CodecAccess, 1)).toBe(0);
    put(GlobalReg.Control, 4, 0x0a);
    expect([read(0x7c), get(GlobalReg.Status, 4)]).toEqual([0xffff, 0x8000]);
    put(GlobalReg.Status, 4, 0x8000);
    put(GlobalReg.Control, 4, 6);
    expect([get(GlobalReg.Status, 4), get(GlobalReg.Control, 4)]).toEqual([0x100, 2]);
  });

  it("plays what is in memory, unchanged at full volume and 48 kHz", () => {
    const { sound, put, get, clock, intx } = loaded(3, 100, 2);
    put(OUT + EngineReg.Control, 1, 0x1d);
    expect([get(OUT + EngineReg.Current, 1), get(OUT + EngineReg.Prefetched, 1)]).toEqual([0, 1]);
    expect([get(OUT + EngineReg.Left, 2), get(OUT + EngineReg.Status, 2)]).toEqual([200, 0]);
    clock.advance(1_100_000);
    expect(get(OUT + EngineReg.Left, 2)).toBe(200 - 104);
    expect(intx.level).toBe(false);
    clock.advance(3_100_000);
    // The second buffer interrupts at its end.
    expect([intx.level, get(GlobalReg.Status, 4) & 0x40]).toEqual([true, 0x40]);
    expect(get(OUT + EngineReg.Status, 2)).toBe(8);
    put(OUT + EngineReg.Status, 1, 8);
    expect([intx.level, get(GlobalReg.Status, 4) & 0x40]).toEqual([false, 0]);
    clock.advance(10_000_000);
    // At the end of the last valid buffer the engine halts.
    expect([get(OUT + EngineReg.Status, 2), get(OUT + EngineReg.Current, 1), intx.level]).toEqual([7, 2, true]);
    expect(sound.left.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(sound.right.slice(1, 300)).toEqual(Array.from({ length: 299 }, (_, i) => -i - 1));
    expect(sound.left.slice(300).every((sample) => sample === 0)).toBe(true);
    expect(clock.armed()).toBe(0);
  });

  it("goes on when the driver gives it more, and where it was paused", () => {
    const { sound, put, get, clock } = loaded(4, 100);
    put(OUT + EngineReg.LastValid, 1, 0);
    put(OUT + EngineReg.Control, 1, 1);
    clock.advance(10_000_000);
    expect(get(OUT + EngineReg.Status, 2) & 7).toBe(7);
    put(OUT + EngineReg.LastValid, 1, 3);
    expect([get(OUT + EngineReg.Current, 1), get(OUT + EngineReg.Status, 2) & 3]).toEqual([1, 0]);
    clock.advance(1_000_000);
    put(OUT + EngineReg.Control, 1, 0);
    const left = get(OUT + EngineReg.Left, 2);
    clock.advance(5_000_000);
    expect([get(OUT + EngineReg.Left, 2), get(OUT + EngineReg.Status, 2) & 1]).toEqual([left, 1]);
    put(OUT + EngineReg.Control, 1, 1);
    clock.advance(20_000_000);
    expect(sound.left.filter((sample) => sample !== 0)).toEqual(Array.from({ length: 399 }, (_, i) => i + 1));
    put(OUT + EngineReg.Control, 1, 2);
    expect([0, 4, 5, 8, 10].map((register) => get(OUT + register, 1))).toEqual([0, 0, 0, 0, 0]);
  });

  it("follows volumes, mutes and other rates", () => {
    const { sound, mixer, put, get, clock, ram } = loaded(32, 1000);
    for (let i = 0; i < 32_000; i++) ram.setU32(SOUND + 4 * i, 0x2000_2000);
    mixer(Mixer.ExtendedControl, 1);
    mixer(Mixer.FrontRate, 8000);
    mixer(Mixer.PcmOut, 0x040c);
    put(OUT + EngineReg.Control, 1, 1);
    clock.advance(20_000_000);
    mixer(Mixer.Master, 0x8000);
    clock.advance(20_000_000);
    // Six decibels up and down.
    expect([sound.left[500], sound.right[500]]).toEqual([16_345, 4106]);
    expect([sound.left[1500], sound.left.length]).toEqual([0, 1920]);
    // 40 ms at 8 kHz, two samples each.
    expect(get(OUT + EngineReg.Left, 2)).toBe(2000 - 640);
  });

  it("records silence, a stereo and a mono engine at their rates", () => {
    const { ram, put, get, clock, intx, sound } = loaded(2, 480);
    for (const engine of [IN, MIC]) {
      put(engine + EngineReg.ListBase, 4, LIST);
      put(engine + EngineReg.LastValid, 1, 1);
      put(engine + EngineReg.Control, 1, 0x11);
    }
    clock.advance(10_500_000);
    expect([get(IN + EngineReg.Current, 1), get(MIC + EngineReg.Current, 1)]).toEqual([1, 0]);
    expect([intx.level, get(GlobalReg.Status, 4) & 0xe0]).toEqual([true, 0x20]);
    clock.advance(10_000_000);
    expect(get(GlobalReg.Status, 4) & 0xe0).toBe(0xa0);
    expect(Array.from({ length: 960 }, (_, i) => ram.u16(SOUND + 2 * i)).every((sample) => sample === 0)).toBe(true);
    expect(sound.left).toEqual([]);
  });

  it("halts on a list of empty buffers, and reads nothing where there is no memory", () => {
    const { ram, put, get, clock, sound } = loaded(32, 1);
    for (let i = 0; i < 32; i++) ram.setU32(LIST + 8 * i + 4, 0);
    put(OUT + EngineReg.Control, 1, 1);
    expect([get(OUT + EngineReg.Status, 2), get(OUT + EngineReg.Current, 1)]).toEqual([7, 31]);
    put(OUT + EngineReg.Control, 1, 2);
    put(OUT + EngineReg.ListBase, 4, 0xffff_fff8);
    put(OUT + EngineReg.LastValid, 1, 5);
    put(OUT + EngineReg.Control, 1, 1);
    expect(get(OUT + EngineReg.Status, 2)).toBe(7);
    for (let i = 0; i < 32; i++) ram.setU32(LIST + 8 * i + 4, 400);
    for (let i = 0; i < 32; i++) ram.setU32(LIST + 8 * i, 0xffff_ff00);
    put(OUT + EngineReg.Control, 1, 2);
    put(OUT + EngineReg.ListBase, 4, LIST);
    put(OUT + EngineReg.Control, 1, 1);
    clock.advance(5_000_000);
    expect(sound.left.every((sample) => sample === 0)).toBe(true);
  });

  it("costs the host little, whatever the buffers", () => {
    const { ram, put, clock } = loaded(32, 1);
    const random = randomSource(4711);
    for (let i = 0; i < 32; i++) ram.setU32(LIST + 8 * i + 4, (0x8000_0000 | (random() % 3)) >>> 0);
    put(OUT + EngineReg.Control, 1, 0x1d);
    for (let i = 0; i < 100; i++) {
      put(OUT + EngineReg.LastValid, 1, random());
      clock.advance(1_000_000);
    }
    expect(clock.fired).toBeLessThan(500);
  });
});
