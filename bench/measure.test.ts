// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Contender } from "./contenders/contender.js";
import { readStatistics } from "./contenders/isola.js";
import type { Guest, GuestConsole } from "./guest.js";
import { measureGuest, type Plan } from "./measure.js";
import { disagreement, failuresOf, times } from "./results.js";

const machine = fileURLToPath(new URL("fake-machine.fixture.mjs", import.meta.url));

const PROMPT = /# (?:.\[6n)?$/;
const console: GuestConsole = {
  booted: PROMPT,
  prompt: PROMPT,
  setUp: null,
  list: "bench list",
  run: (work, scale) => `bench ${scale} ${work}`,
  timeouts: { boot: 20_000, prepare: 20_000, work: 20_000, shell: 20_000 },
};
const section = { title: "guest", work: "workload", booted: "shell" } as const;

let directory = "";
let guest: Guest;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-bench-"));
  const program = join(directory, "bench");
  await writeFile(program, '#!/bin/sh\nprintf "@begin $2\\n"\nsleep 0.01\nprintf "@end $2 a\\n"\n');
  await chmod(program, 0o755);
  const files = { kernel: "", initrd: "", disks: [], network: false, program };
  const processor = { architecture: "amd64", avx2: false, memoryMiB: 16 } as const;
  guest = { ...files, ...processor, append: "quiet", description: "test", console };
});
afterAll(() => rm(directory, { recursive: true }));

const fake = (name: string, ...args: string[]): Contender => ({
  name,
  architectures: ["amd64"],
  setup: "",
  rehearses: false,
  presence: () => Promise.resolve({ version: "1" }),
  command: () => ({ program: process.execPath, args: [machine, ...args] }),
  selfReport: readStatistics,
});

function plan(changes: Partial<Plan> = {}): { plan: Plan; said: string[] } {
  const said: string[] = [];
  return {
    plan: { rounds: 2, scale: 10, only: [], bootOnly: false, say: (line) => said.push(line), ...changes },
    said,
  };
}

describe("measureGuest", () => {
  test("two rounds of two machines, in alternating order", async () => {
    const { plan: two, said } = plan();
    const results = await measureGuest(section, guest, [fake("A"), fake("B")], two);
    expect(results.workloads).toEqual(["sort", "x87"]);
    expect(failuresOf(results)).toEqual([]);
    for (const one of results.contenders) {
      expect([...one.boots.keys()]).toEqual([0, 1]);
      for (const workload of results.workloads) {
        const measured = times(one, workload);
        expect([...measured.keys()]).toEqual([0, 1]);
        for (const time of measured.values()) expect(time).toBeGreaterThan(0);
      }
    }
    const order = said.filter((line) => line.startsWith("  ")).map((line) => line.trim().replace(/:.*/, ""));
    const round = (first: string, second: string): string[] => [
      ...[`boot, ${first}`, `boot, ${second}`, `sort, ${first}`, `sort, ${second}`],
      ...[`x87, ${second}`, `x87, ${first}`],
    ];
    expect(order).toEqual([...round("A", "B"), ...round("B", "A")]);
  });

  test("a machine that keeps something rehearses everything once, which does not count", async () => {
    const { plan: one, said } = plan({ rounds: 1 });
    const results = await measureGuest(section, guest, [{ ...fake("A"), rehearses: true }, fake("B")], one);
    expect(failuresOf(results)).toEqual([]);
    expect(results.contenders.map(({ boots }) => boots.size)).toEqual([1, 1]);
    expect(results.contenders[0].samples.get("sort")?.size).toBe(1);
    const order = said.filter((line) => line.startsWith("  ")).map((line) => line.trim().replace(/:.*/, ""));
    expect(order.slice(0, 4)).toEqual(["boot, A", "sort, A", "x87, A", "boot, A"]);
  });

  test.runIf(process.platform === "linux")("memory, processor time, and the host itself", async () => {
    const results = await measureGuest(section, guest, [fake("A")], plan({ rounds: 1 }).plan);
    const [{ memoryAtShell, memoryAtEnd, samples }] = results.contenders;
    expect(memoryAtShell[0]).toBeGreaterThan(10);
    expect(memoryAtEnd[0]).toBeGreaterThanOrEqual(memoryAtShell[0]);
    expect(samples.get("sort")?.get(0)?.processorTime).toBeGreaterThanOrEqual(0);
    expect(results.native?.samples.get("sort")?.get(0)?.checksum).toBe("a");
  });

  test.runIf(process.platform === "linux")("what machines say of themselves at their end", async () => {
    const results = await measureGuest(section, guest, [fake("A", "--tells"), fake("B")], plan().plan);
    const [tells, silent] = results.contenders;
    expect(tells.translationShares).toHaveLength(2);
    for (const share of tells.translationShares) expect(share).toBeGreaterThan(0);
    expect(silent.translationShares).toEqual([]);
  });

  test("different checksums", async () => {
    const contenders = [fake("A"), fake("B", "--wrong", "sort")];
    const results = await measureGuest(section, guest, contenders, plan({ rounds: 1 }).plan);
    expect(disagreement(results, "sort")).toMatch(/A a, B bad/);
    expect(disagreement(results, "x87")).toBeNull();
    expect(failuresOf(results)).toHaveLength(1);
  });

  test("a machine that ends in one workload runs the others on a new boot, and that one never again", async () => {
    const results = await measureGuest(section, guest, [fake("A", "--dies-in", "sort"), fake("B")], plan().plan);
    const [{ failures, samples, boots }, other] = results.contenders;
    expect([...failures.keys()]).toEqual(["sort"]);
    expect(failures.get("sort")).toContain("ended with status 1");
    expect(samples.get("x87")?.size).toBe(2);
    expect(boots.size).toBe(2);
    expect(other.samples.get("sort")?.size).toBe(2);
  });

  test("a guest whose work fails goes on with the rest, without a new boot", async () => {
    const { plan: two, said } = plan();
    const results = await measureGuest(section, guest, [fake("A", "--fails-in", "sort"), fake("B")], two);
    expect(failuresOf(results)).toEqual(["guest, sort, A: work: no space left"]);
    expect(results.contenders[0].samples.get("x87")?.size).toBe(2);
    expect(results.contenders[1].samples.get("sort")?.size).toBe(2);
    expect(said.filter((line) => line.includes("boot, A"))).toHaveLength(2);
  });

  test("work for which a machine lacks instructions is no failure", async () => {
    const results = await measureGuest(section, guest, [fake("A", "--lacks", "sort"), fake("B")], plan().plan);
    expect(failuresOf(results)).toEqual([]);
    expect([...results.contenders[0].absent]).toEqual(["sort"]);
    expect(results.contenders[0].samples.has("sort")).toBe(false);
    expect(results.contenders[1].samples.get("sort")?.size).toBe(2);
  });

  test("a guest that is set up after its boot, and has no program for the host", async () => {
    const login = { ...console, booted: /isola login: /, setUp: "set-up" };
    const debian = { ...guest, program: null, console: login };
    const results = await measureGuest(section, debian, [fake("A", "--login")], plan().plan);
    expect(failuresOf(results)).toEqual([]);
    expect(results.native).toBeNull();
    expect(results.contenders[0].boots.size).toBe(2);
    expect(results.contenders[0].samples.get("x87")?.get(0)?.checksum).toBe("a");
  });

  test("a machine that does not boot is left out", async () => {
    const results = await measureGuest(section, guest, [fake("A"), fake("B", "--dead")], plan().plan);
    expect(failuresOf(results)).toEqual([expect.stringContaining("no such kernel")]);
    expect(results.contenders[0].samples.get("sort")?.size).toBe(2);
  });

  test("a guest that boots and then does not answer", async () => {
    const results = await measureGuest(section, guest, [fake("A", "--no-program"), fake("B")], plan().plan);
    expect(failuresOf(results)).toEqual([expect.stringContaining("status 127")]);
    expect(results.workloads).toEqual(["sort", "x87"]);
    expect(results.contenders[1].samples.get("x87")?.size).toBe(2);
  });

  test("a monitor that cannot be started", async () => {
    const missing = { ...fake("B"), command: () => ({ program: join(directory, "none"), args: [] }) };
    const results = await measureGuest(section, guest, [missing], plan().plan);
    expect(failuresOf(results)).toEqual([expect.stringContaining("ENOENT")]);
  });

  test("some workloads, or none", async () => {
    const some = await measureGuest(section, guest, [fake("A")], plan({ only: ["x87"], rounds: 1 }).plan);
    expect(some.workloads).toEqual(["x87"]);
    const none = await measureGuest(section, guest, [fake("A")], plan({ bootOnly: true, rounds: 1 }).plan);
    expect(none.workloads).toEqual([]);
    expect(none.contenders[0].boots.size).toBe(1);
    const unknown = measureGuest(section, guest, [fake("A")], plan({ only: ["quicksort"] }).plan);
    await expect(unknown).rejects.toThrow("no workload quicksort; there are sort, x87");
  });
});

describe("readStatistics", () => {
  test("the compiler's times, among other lines", () => {
    const object = { version: 1, compiler: { regions: 5, generationTime: 2e6, moduleTime: 1.5e6 } };
    const errors = `isola: warning: {}\n{broken\n${JSON.stringify(object)}\n`;
    expect(readStatistics(errors)).toEqual({ translationTime: 3.5 });
  });
  test.each(["", "isola: no such file\n", '{"version":1,"compiler":null}\n', '{"compiler":{"moduleTime":1}}\n'])(
    "%j says nothing",
    (errors) => expect(readStatistics(errors)).toBeNull(),
  );
});
