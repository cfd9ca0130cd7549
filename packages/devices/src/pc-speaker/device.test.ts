// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { AudioOutput } from "../audio-output/device.js";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { RecordingAudio } from "../conformance/recording-audio.js";
import { deviceConformance } from "../conformance/suite.js";
import { Pit8254 } from "../pit8254/device.js";
import { PcSpeaker } from "./device.js";
import { AMPLITUDE } from "./registers.js";

function makeSpeaker(clock = new FakeClock(), heard = true) {
  const sound = new RecordingAudio();
  const pit = new Pit8254(new RecordingLine(), clock);
  const output = new AudioOutput(clock, heard ? sound : null);
  const speaker = new PcSpeaker(pit, output, clock);
  const count = (value: number) => {
    pit.handler.write(2, 1, value & 0xff);
    pit.handler.write(2, 1, value >> 8);
  };
  const gate = (value: number) => pit.port61Handler.write(0, 1, value);
  return { sound, pit, output, speaker, clock, count, gate };
}

/** Times that a wave goes up through zero. */
function rises(samples: readonly number[]): number {
  return samples.filter((sample, i) => i > 0 && sample > 0 && samples[i - 1]! <= 0).length;
}

deviceConformance("pc-speaker", (clock) => {
  const { pit, speaker } = makeSpeaker(clock);
  return {
    device: speaker,
    ranges: [
      { handler: pit.handler, length: 4 },
      { handler: pit.port61Handler, length: 1 },
    ],
  };
});

deviceConformance("audio-output", (clock) => {
  const { pit, output, speaker } = makeSpeaker(clock);
  const device = {
    reset: () => [pit, speaker, output].forEach((one) => one.reset()),
    save: () => output.save(),
    restore: (state: ReturnType<AudioOutput["save"]>) => output.restore(state),
  };
  return {
    device,
    ranges: [{ handler: { read: () => 0, write: () => {} }, length: 4 }],
    pokes: [() => output.catchUp(), () => output.changed()],
  };
});

describe("the loudspeaker", () => {
  it("plays a tone of channel 2 while both gates are open", () => {
    const { sound, pit, clock, count, gate } = makeSpeaker();
    expect(sound.format).toEqual({ rate: 48_000, channels: 2 });
    pit.handler.write(3, 1, 0xb6);
    count(1193);
    clock.advance(20_000_000);
    expect(sound.left).toEqual([]);
    gate(3);
    clock.advance(1_000_000_000);
    gate(0);
    expect(sound.left.length).toBe(48_000);
    expect(sound.right).toEqual(sound.left);
    expect(Math.abs(rises(sound.left) - 1000)).toBeLessThanOrEqual(1);
    expect([Math.max(...sound.left), Math.min(...sound.left)]).toEqual([AMPLITUDE, -AMPLITUDE]);
    expect(sound.times[0]).toBe(20_000_000);
    clock.advance(1_000_000_000);
    const after = sound.left.slice(48_000);
    expect([after.length < 4800, after.every((sample) => sample === 0), clock.armed()]).toEqual([true, true, 0]);
  });

  it("changes its tone at the moment of the write", () => {
    const { sound, pit, clock, count, gate } = makeSpeaker();
    pit.handler.write(3, 1, 0xb6);
    count(1193);
    gate(3);
    clock.advance(500_000_000);
    count(2386);
    clock.advance(500_000_000);
    gate(0);
    expect(Math.abs(rises(sound.left.slice(0, 24_000)) - 500)).toBeLessThanOrEqual(1);
    expect(Math.abs(rises(sound.left.slice(24_000)) - 250)).toBeLessThanOrEqual(1);
  });

  it("hears sound that software makes by switching the gate, and tones too high for it as next to nothing", () => {
    const { sound, pit, clock, count, gate } = makeSpeaker();
    pit.handler.write(3, 1, 0x90 | 0x06);
    pit.handler.write(2, 1, 10);
    gate(3);
    clock.advance(100_000_000);
    expect(Math.max(...sound.left.map(Math.abs))).toBeLessThan(AMPLITUDE / 3);
    gate(0);
    pit.handler.write(3, 1, 0xb0);
    count(0xffff);
    const before = sound.left.length;
    for (let i = 0; i < 100; i++) {
      gate(i % 2 === 0 ? 2 : 0);
      clock.advance(1_000_000);
    }
    gate(0);
    expect(rises(sound.left.slice(before).map((sample) => sample + 1))).toBe(50);
  });

  it("takes no time where nobody listens, or nothing changes", () => {
    const deaf = makeSpeaker(new FakeClock(), false);
    deaf.pit.handler.write(3, 1, 0xb6);
    deaf.count(1000);
    deaf.gate(3);
    expect(deaf.clock.armed()).toBe(0);
    const { gate, clock, sound } = makeSpeaker();
    gate(2);
    clock.advance(1_000_000_000);
    expect(clock.armed()).toBe(0);
    expect(sound.left.length).toBeLessThan(4800);
  });
});
