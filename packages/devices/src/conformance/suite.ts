// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler } from "@isola/memory";
import { describe, expect, it } from "vitest";
import type { Device, DeviceState, Pausable } from "../device.js";
import { FakeClock } from "./fake-clock.js";
import { randomSource } from "./random-source.js";

/** One device under test: built fresh on a clock, with the register ranges that a guest can reach. */
export interface Subject<State extends DeviceState> {
  readonly device: Device<State> & Partial<Pausable>;
  readonly ranges: readonly { readonly handler: IoHandler; readonly length: number }[];
  /** More ways to poke the device, called with random numbers: input lines, received bytes. */
  readonly pokes?: readonly ((random: () => number) => void)[];
  /** Fields that outlive a reset by design, such as those on a battery. */
  readonly keptByReset?: readonly (keyof State)[];
}

const SIZES: readonly AccessSize[] = [1, 2, 4];

function pokeAtRandom<S extends DeviceState>(subject: Subject<S>, clock: FakeClock, random: () => number, n: number) {
  for (let i = 0; i < n; i++) {
    const range = subject.ranges[random() % subject.ranges.length]!;
    const size = SIZES[random() % 3]!;
    const offset = random() % range.length;
    // Small and wild values alternate: the first reach valid register encodings, the second their reserved bits.
    const value = random() % 3 === 0 ? random() : random() & 0xff;
    if (random() % 2 === 0) range.handler.write(offset, size, value);
    else {
      const got = range.handler.read(offset, size);
      const limit = size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
      if (!(Number.isInteger(got) && got >= 0 && got <= limit))
        throw new Error(`read of ${size} bytes at ${offset.toString(16)} gave ${got}`);
    }
    const pokes = subject.pokes;
    if (pokes !== undefined && pokes.length > 0 && random() % 4 === 0) pokes[random() % pokes.length]!(random);
    if (random() % 8 === 0) clock.advance(random() % 100_000);
  }
}

/**
 * What every device must do: reset values, save -> restore -> save equality after random use, reads and writes of every
 * size that neither throw nor leave the unsigned range of their width, and a pause that is idempotent.
 */
export function deviceConformance<State extends DeviceState>(
  name: string,
  make: (clock: FakeClock) => Subject<State>,
): void {
  describe(`${name} conformance`, () => {
    it("has plain JSON state that names its device and version", () => {
      const state = make(new FakeClock()).device.save();
      expect(state.device).not.toBe("");
      expect(state.version).toBeGreaterThan(0);
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    });

    it("refuses the state of another device", () => {
      const { device } = make(new FakeClock());
      expect(() => device.restore({ ...device.save(), device: "other" })).toThrow(/bad-snapshot|is needed/);
    });

    it("returns to its power-on state by reset", () => {
      const clock = new FakeClock();
      const subject = make(clock);
      const fresh = subject.device.save();
      pokeAtRandom(subject, clock, randomSource(7), 300);
      subject.device.reset();
      const freshClock = new FakeClock();
      freshClock.advance(clock.now());
      const late = make(freshClock);
      late.device.reset();
      const expected: Partial<State> = late.device.save();
      const got: Partial<State> = subject.device.save();
      for (const field of subject.keptByReset ?? []) {
        delete expected[field];
        delete got[field];
      }
      expect(got).toEqual(expected);
      expect(Object.keys(late.device.save())).toEqual(Object.keys(fresh));
    });

    it.each([1, 2, 3, 4, 5, 6, 7, 8])("saves and restores without loss (seed %i)", (seed) => {
      const clock = new FakeClock();
      const subject = make(clock);
      const random = randomSource(seed * 0x9e37_79b9);
      pokeAtRandom(subject, clock, random, 500);
      const saved = subject.device.save();
      expect(subject.device.save()).toEqual(saved);

      const twinClock = new FakeClock();
      twinClock.advance(clock.now());
      const twin = make(twinClock);
      twin.device.restore(JSON.parse(JSON.stringify(saved)) as State);
      expect(twin.device.save()).toEqual(saved);

      // The copy must also behave alike from here on.
      pokeAtRandom(subject, clock, randomSource(seed), 200);
      pokeAtRandom(twin, twinClock, randomSource(seed), 200);
      expect(twin.device.save()).toEqual(subject.device.save());
    });

    it("survives random accesses of every size", () => {
      const clock = new FakeClock();
      const subject = make(clock);
      pokeAtRandom(subject, clock, randomSource(0xdead_beef), 20_000);
    });

    it("pauses idempotently", async () => {
      const clock = new FakeClock();
      const subject = make(clock);
      pokeAtRandom(subject, clock, randomSource(99), 200);
      await subject.device.pause?.();
      const once = subject.device.save();
      await subject.device.pause?.();
      expect(subject.device.save()).toEqual(once);
      subject.device.resume?.();
    });
  });
}
