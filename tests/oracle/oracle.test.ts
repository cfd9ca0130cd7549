// SPDX-License-Identifier: Apache-2.0
import { writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { NativeHarness } from "./native-harness.js";
import { readVectorBytes, recordedPath } from "./recorded-files.js";
import { RecordedTarget } from "./recorded-target.js";
import { replay } from "./replay.js";
import { StateOffset } from "./state-image.js";
import { FAMILIES, Note, VectorFile, type Vector } from "./vector-file.js";
import { COMPLETED } from "./vector-target.js";

type Disturb = ConstructorParameters<typeof RecordedTarget>[1];

const bytes = readVectorBytes(recordedPath(64));
const run = (disturb?: Disturb, select?: (vector: Vector) => boolean) =>
  replay(new VectorFile(bytes), new RecordedTarget(new VectorFile(bytes), disturb), {
    strict: true,
    ...(select ? { select } : {}),
  });

describe("recorded vectors", () => {
  for (const mode of [64, 32] as const) {
    it(`are readable, cover every family and agree with themselves (${mode}-bit)`, () => {
      const data = readVectorBytes(recordedPath(mode));
      const file = new VectorFile(data);
      const result = replay(file, new RecordedTarget(new VectorFile(data)), { strict: true });
      expect(file.environment.mode).toBe(mode);
      expect(result.bad).toBe(0);
      expect(result.run).toBe(file.count);
      for (const family of FAMILIES) expect(result.runByFamily[family], family).toBeGreaterThan(20);
    });
  }

  it("contain every kind of exception that user code can raise", () => {
    const seen = new Set<number>();
    run(({ outcome }) => seen.add(outcome.what));
    for (const what of [0, 1, 3, 6, 12, 13, 14, 16, 17, 19, COMPLETED]) expect(seen.has(what), `#${what}`).toBe(true);
  });
});

describe("the comparison notices", () => {
  const strict = (vector: Vector): boolean =>
    (vector.notes & (Note.Approx12Bit | Note.ApproxX87 | Note.MemoryFree)) === 0;
  const checks: [string, NonNullable<Disturb>][] = [
    [
      "a wrong general register",
      ({ state }, v) => void (state.bytes[StateOffset.Gpr + 8 * (v.maskedGpr === 0 ? 1 : 0)] ^= 1),
    ],
    [
      "a wrong upper half",
      ({ state }, v) => void (state.bytes[StateOffset.Gpr + 8 * (v.maskedGpr === 15 ? 1 : 15) + 7] ^= 0x80),
    ],
    ["a wrong RIP", ({ state }) => void (state.bytes[StateOffset.Rip] ^= 1)],
    ["a wrong direction flag", ({ state }) => void (state.words[StateOffset.Flags >> 2] ^= 0x400)],
    ["a wrong vector lane", ({ state }) => void (state.bytes[StateOffset.Xmm + 16 * 15 + 15] ^= 1)],
    ["a wrong upper vector half", ({ state }) => void (state.bytes[StateOffset.YmmHigh] ^= 1)],
    ["a wrong x87 register", ({ state }) => void (state.bytes[StateOffset.St + 9] ^= 0x80)],
    ["a wrong tag", ({ state }) => void (state.bytes[StateOffset.Ftw] ^= 1)],
    ["a wrong MXCSR", ({ state }) => void (state.words[StateOffset.Mxcsr >> 2] ^= 0x20)],
    ["a wrong exception", ({ outcome }) => void (outcome.what = outcome.what === 6 ? 13 : 6)],
    ["a stray store", ({ memory }) => void (memory[1][0x1fff] ^= 1)],
    ["a store to read-only memory", ({ memory }) => void (memory[2][0] ^= 1)],
  ];
  for (const [what, disturb] of checks) {
    it(what, () => {
      const result = run(disturb, strict);
      expect(result.bad).toBe(result.run);
    });
  }

  it("a wrong error code and a wrong CR2", () => {
    const faults = (vector: Vector): boolean => vector.outcome.what === 14;
    expect(replayFaults(faults, ({ outcome }) => void (outcome.errorCode ^= 2))).toBe(true);
    expect(replayFaults(faults, ({ outcome }) => void (outcome.cr2Low ^= 1))).toBe(true);
  });
});

function replayFaults(which: (vector: Vector) => boolean, disturb: NonNullable<Disturb>): boolean {
  let faults = 0;
  const result = run((target, vector) => {
    if (!which(vector)) return;
    faults++;
    disturb(target, vector);
  });
  return faults > 0 && result.bad === faults;
}

describe("the comparison lets pass", () => {
  it("undefined flags", () => {
    const result = run(({ state }, vector) => void (state.words[StateOffset.Flags >> 2] ^= ~vector.flagsCompared));
    expect(result.bad).toBe(0);
  });

  it("approximations inside their bounds, and not outside", () => {
    const approx = (vector: Vector): boolean => vector.notes === Note.Approx12Bit && vector.outcome.what === COMPLETED;
    const scale = (factor: number): number => {
      let touched = 0;
      const result = run(({ state }, vector) => {
        if (!approx(vector)) return;
        for (let at = StateOffset.Xmm; at < StateOffset.YmmHigh; at += 4) {
          const value = state.view.getFloat32(at, true);
          const changed = state.words[at >> 2] !== vector.before.words[at >> 2];
          if (changed && Math.abs(value) > 1e-30 && Math.abs(value) < 1e30) {
            state.view.setFloat32(at, value * factor, true);
            touched++;
          }
        }
      });
      expect(touched).toBeGreaterThan(0);
      return result.bad;
    };
    expect(scale(1 + 2 ** -13)).toBe(0);
    expect(scale(1 + 2 ** -9)).toBeGreaterThan(0);
  });
});

describe("the reader refuses", () => {
  it("other files", () => {
    expect(() => new VectorFile(new Uint8Array(100))).toThrow(/magic/);
  });
});

describe("the native harness", () => {
  const harness = NativeHarness.build();
  it.skipIf(typeof harness === "string")("records vectors that replay without a mismatch", async () => {
    if (typeof harness === "string") return;
    for (const mode of [64, 32] as const) {
      const path = join(tmpdir(), `isola-oracle-${process.pid}-${mode}.vec`);
      writeFileSync(path, await harness.generate({ mode, seed: Date.now() % 100_000, count: 20_000 }));
      const verdict = harness.verify(path);
      rmSync(path);
      expect(verdict.output).toContain("20000 vectors replayed, 0 bad");
      expect(verdict.ok).toBe(true);
    }
  });
  if (typeof harness === "string") process.stderr.write(`SKIPPED native harness tests: ${harness}\n`);
});
