// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuestProfiler, loadSymbols, type Profile } from "@isola/observe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleFlat, flatGuestObstacle, flatMachine, runToExit } from "./flat-guest.js";
import { flatGuestOptions, isolaCommand } from "./isola-command.js";

const obstacle = flatGuestObstacle();
if (obstacle !== null) process.stderr.write(`SKIPPED profiles of guests: ${obstacle}\n`);

/** Share of the guest's samples whose stack ends like `end`. */
function share({ stacks, samples }: Profile, end: readonly string[]): number {
  const wanted = end.join(";");
  const found = stacks.filter(({ frames }) => frames.join(";").endsWith(wanted));
  return found.reduce((sum, stack) => sum + stack.samples, 0) / samples;
}

describe.skipIf(obstacle !== null)("the profile of a guest with a known hot function", () => {
  let profile: Profile;

  beforeAll(() => {
    const guest = assembleFlat("hot");
    const programs = [loadSymbols(readFileSync(guest.elf), guest.elf)];
    const profiler = new GuestProfiler({ period: 100_000, kernel: null, programs });
    const machine = flatMachine(guest, { profile: profiler });
    machine.boot();
    runToExit(machine);
    profile = profiler.profile();
  });

  it("shows where the time goes, with callers", () => {
    expect(profile.samples).toBeGreaterThan(500);
    expect(share(profile, ["kernel", "_start", "work", "hot"])).toBeGreaterThan(0.74);
    expect(share(profile, ["kernel", "_start", "work", "hot"])).toBeLessThan(0.86);
    expect(share(profile, ["kernel", "_start", "work", "cold"])).toBeGreaterThan(0.14);
    expect(share(profile, ["kernel", "_start", "work", "cold"])).toBeLessThan(0.26);
  });

  it("accounts for all of the machine's time", () => {
    expect(profile.stacks.reduce((sum, { time }) => sum + time, 0)).toBe(profile.time);
    expect(profile.stacks.some(({ frames }) => frames.join() === "[outside the guest]")).toBe(true);
  });

  it("takes the same samples in every run on a virtual clock", () => {
    const guest = assembleFlat("hot");
    const programs = [loadSymbols(readFileSync(guest.elf), guest.elf)];
    const again = new GuestProfiler({ period: 100_000, kernel: null, programs });
    const machine = flatMachine(guest, { profile: again });
    machine.boot();
    runToExit(machine);
    const counts = ({ stacks }: Profile) =>
      Object.fromEntries(stacks.map(({ frames, samples }) => [frames.join(";"), samples]));
    expect(counts(again.profile())).toEqual(counts(profile));
  });
});

describe.skipIf(obstacle !== null)("isola run --profile", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "isola-test-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("writes a flame graph and stacks", async () => {
    const guest = assembleFlat("hot");
    const options = ["--profile", join(folder, "hot.svg"), "--symbols", guest.elf, "--profile-rate", "4000"];
    const run = await isolaCommand(["run", ...flatGuestOptions(guest), ...options]);
    expect([run.status, run.errors]).toEqual([1, ""]);
    const lines = readFileSync(join(folder, "hot.collapsed"), "utf8").trimEnd().split("\n");
    const weights = new Map(lines.map((line) => [line.replace(/ \d+$/, ""), Number(/\d+$/.exec(line)?.[0])]));
    const hot = weights.get("kernel;_start;work;hot") ?? 0;
    const cold = weights.get("kernel;_start;work;cold") ?? 0;
    expect(hot).toBeGreaterThan(cold);
    expect(cold).toBeGreaterThan(0);
    const graph = readFileSync(join(folder, "hot.svg"), "utf8");
    expect(graph).toMatch(/^<\?xml .*<title>hot: .*<\/svg>\n$/s);
    // Nothing is fetched from anywhere.
    expect(graph.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|src=|href=/);
  });

  it("writes what there is when it is interrupted", async () => {
    const options = ["--profile", join(folder, "spin")];
    const run = await isolaCommand(["run", ...flatGuestOptions(assembleFlat("spin")), ...options], "SIGINT");
    expect([run.status, run.errors]).toEqual([130, ""]);
    expect(readFileSync(join(folder, "spin.svg"), "utf8")).toContain("</svg>");
    expect(readFileSync(join(folder, "spin.collapsed"), "utf8")).toMatch(/^\[outside the guest\] \d+$|^kernel;/m);
  });

  it("explains what is wrong with its files", async () => {
    const guest = assembleFlat("spin");
    const text = join(folder, "notes.txt");
    writeFileSync(text, "nothing of the kind\n");
    const refuse = async (...args: string[]) => {
      const run = await isolaCommand(["run", ...flatGuestOptions(guest), ...args]);
      return `${run.status} ${run.errors}`;
    };
    expect(await refuse("--profile", `${folder}/no/p.svg`)).toMatch(
      /^1 isola: cannot write .*: there is no such file\n$/,
    );
    expect(await refuse("--profile", join(folder, "p"), "--symbols", text)).toMatch(/^1 .*notes.txt is neither an ELF/);
    expect(await refuse("--profile", join(folder, "p"), "--symbols", `${folder}/none`)).toMatch(/^1 .*cannot read/);
  });
});
