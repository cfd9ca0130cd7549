// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { FIRST_START } from "./contenders/isola.js";
import { report, type ReportInput } from "./report.js";
import type { SecondStart } from "./second-start.js";
import { type ContenderResults, emptyResults, type GuestResults } from "./results.js";

type Times = Readonly<Record<string, readonly number[]>>;

function results(name: string, boots: readonly number[], times: Times, checksum = "1"): ContenderResults {
  const empty = emptyResults(name);
  for (const [round, boot] of boots.entries()) {
    empty.boots.set(round, boot);
    empty.bootProcessorTimes.set(round, boot / 4);
  }
  for (const [workload, all] of Object.entries(times)) {
    const samples = all.map(
      (time, round) => [round, { time, processorTime: time / 2, checksum, amount: null }] as const,
    );
    empty.samples.set(workload, new Map(samples));
  }
  empty.memoryAtShell.push(100);
  return empty;
}

function guest(...contenders: ContenderResults[]): GuestResults {
  const section = { title: "64-bit guest", work: "workload", booted: "shell" } as const;
  return { ...section, description: "Linux 6", workloads: ["calls", "sort"], contenders, native: null };
}

const input = (changes: Partial<ReportInput>): ReportInput => ({
  date: new Date("2026-11-22T10:00:00Z"),
  host: "a | host",
  processors: 2,
  load: [0.1, 1.2],
  rounds: 3,
  scale: 40,
  programScale: 100,
  secondStart: null,
  contenders: [
    { name: "Isola", version: "1", setup: "bundled" },
    { name: "QEMU", version: "7", setup: "TCG" },
  ],
  skipped: [],
  guests: [],
  ...changes,
});

const isola = results("Isola", [2000, 2000], { calls: [100, 110, 90], sort: [50, 50, 50] });
const qemu = results("QEMU", [4000, 5000], { calls: [200, 220, 180], sort: [25, 25, 25] });
const lines = (text: string): string[] => text.split("\n");

describe("report", () => {
  test("transfers say how much was moved, and show processor time", () => {
    const moving = (name: string, times: Times, count: number, unit: string): ContenderResults => {
      const one = results(name, [1000], times);
      for (const [work, all] of one.samples)
        one.samples.set(
          work,
          new Map([...all].map(([round, sample]) => [round, { ...sample, amount: { count, unit } }])),
        );
      return one;
    };
    const section = { title: "Disk and network", work: "transfer", booted: "shell" } as const;
    const table = (count: number, unit: string): string => {
      const contenders = [
        moving("Isola", { a: [100, 200] }, count, unit),
        moving("QEMU", { a: [200, 400] }, count, unit),
      ];
      return report(input({ guests: [{ ...section, description: "", workloads: ["a"], contenders, native: null }] }));
    };
    expect(table(64, "MiB")).toContain(
      "| a | 480 (320–640) MiB/s | 240 (160–320) MiB/s | 150 (100–200) | 300 (200–400) | 2.00 (2.00–2.00) | 75 (50–100) |",
    );
    expect(table(1000, "trips")).toContain("| a | 150 (100–200) µs | 300 (200–400) µs | 150 (100–200) |");
  });
  test("ratios, the slowest workload first", () => {
    const text = report(input({ guests: [guest(isola, qemu)] }));
    expect(lines(text)).toContain(
      "| 64-bit guest | QEMU | 1.00 | 1.00 | 1 of 2 | sort 0.50 | calls 2.00 | 2.25 (2.00–2.50) | 2.25 (2.00–2.50) |",
    );
    const sort = text.indexOf("| sort | 50 (50–50) | 25 (25–25) | 0.50 (0.50–0.50) |");
    const calls = text.indexOf("| calls | 100 (90–110) | 200 (180–220) | 2.00 (2.00–2.00) |");
    expect(sort).toBeGreaterThan(0);
    expect(calls).toBeGreaterThan(sort);
    expect(text).toContain(
      "| QEMU | 4.50 (4.00–5.00) | 2.25 (2.00–2.50) | 1.13 (1.00–1.25) | 2.25 (2.00–2.50) | 100 |",
    );
    expect(text).toContain("on 2026-11-22;");
    expect(text).toContain("a \\| host");
    expect(text).not.toContain("The host was busy");
    expect(text).not.toContain("## Failures");
  });

  test("the first start of the subject is compared with it, and with the peers", () => {
    const first = results(FIRST_START, [3000], { calls: [200], sort: [200] });
    const text = report(input({ guests: [guest(isola, first, qemu)] }));
    const summary = lines(text).filter((line) => line.startsWith("| 64-bit guest") && !line.includes("Linux"));
    expect(summary.map((line) => line.split(" | ").slice(0, 3).join(" | "))).toEqual([
      `| 64-bit guest | ${FIRST_START} | 2.83`,
      "| 64-bit guest | QEMU | 1.00",
      "| 64-bit guest, first start | QEMU | 0.35",
    ]);
  });

  test("a row with different checksums is named and counts in no mean", () => {
    const wrong = results("QEMU", [4000], { calls: [1, 1, 1] }, "2");
    wrong.samples.set("sort", qemu.samples.get("sort") ?? new Map());
    const text = report(input({ guests: [guest(isola, wrong)] }));
    expect(text).toContain("- 64-bit guest, calls: checksums differ: Isola 1, QEMU 2");
    expect(text).toContain("| 64-bit guest | QEMU | 0.50 | 0.50 | 1 of 1 |");
    expect(text.indexOf("| calls | 100")).toBeLessThan(text.indexOf("| sort | 50"));
  });

  test("a machine that did not boot", () => {
    const dead = emptyResults("QEMU");
    dead.failures.set("boot", "ended with status 1");
    const text = report(input({ guests: [guest(isola, dead)] }));
    expect(text).toContain("| 64-bit guest | QEMU | – | – | – | – | – | – | – |");
    expect(text).toContain("| QEMU | failed |");
    expect(text).toContain("- 64-bit guest, boot, QEMU: ended with status 1");
  });

  test("the host itself; what is too short there does not count", () => {
    const native = results("this processor", [], { calls: [20, 22, 18], sort: [0.01, 0.01, 0.01] });
    const text = report(input({ guests: [{ ...guest(isola, qemu), native }] }));
    expect(text).toContain("64-bit guest: Isola takes 5.00 times as long as the host itself");
  });

  test("a busy host and what was left out are said first", () => {
    const text = report(input({ load: [5, 6], skipped: ["v86: not installed"], guests: [guest(isola, qemu)] }));
    expect(text.indexOf("The host was busy")).toBeGreaterThan(0);
    expect(text.indexOf("**Left out:** v86: not installed.")).toBeLessThan(text.indexOf("## Summary"));
  });

  test("boots only", () => {
    const text = report(input({ guests: [{ ...guest(isola, qemu), workloads: [] }] }));
    expect(text).toContain("| 64-bit guest | QEMU | – | – | – | – | – | 2.25 (2.00–2.50) |");
    expect(text).not.toContain("| Workload |");
    expect(text).not.toContain("... after all workloads");
  });

  test("translation, if a machine tells", () => {
    const tells = results("Isola", [2000], { calls: [100], sort: [50] });
    tells.translationShares.push(20, 30);
    const text = report(input({ guests: [guest(tells, qemu)] }));
    expect(text).toContain("| Processor time / time, % | Translation / processor time, % |");
    expect(text).toMatch(/^\| Isola \| 2.00 .* \| 50 \| 25 \(20–30\) \|$/m);
    expect(report(input({ guests: [guest(isola, qemu)] }))).not.toContain("| Translation");
  });

  test("programs are in seconds, with their processor time and the ratio by it", () => {
    const busy = results("QEMU", [4000], { calls: [4000], sort: [2000] });
    const subject = results("Isola", [2000], { calls: [10_000], sort: [1000] });
    const debian = { ...guest(subject, busy), work: "program", booted: "login prompt" } as const;
    const text = report(input({ guests: [debian] }));
    expect(lines(text)).toContain(
      "| Program | Isola, s | QEMU, s | QEMU / Isola | Isola, processor s | QEMU, processor s | QEMU / Isola, processor time |",
    );
    expect(lines(text)).toContain("| calls | 10.0 | 4.00 | 0.40 | 5.00 | 2.00 | 0.40 |");
    expect(text).toContain("| Machine | Boot to login prompt, s |");
    expect(text).toContain("programs at 100 %");
  });

  test("a program that failed on one machine, and one that the other cannot run", () => {
    const subject = results("Isola", [2000], { calls: [100] });
    subject.failures.set("sort", "no space left");
    const peer = results("QEMU", [4000], { sort: [50] });
    peer.absent.add("calls");
    const text = report(input({ guests: [guest(subject, peer)] }));
    expect(lines(text)).toContain("| sort | failed | 50 | – |");
    expect(lines(text)).toContain("| calls | 100 | absent | – |");
    expect(text).toContain("- 64-bit guest, sort, Isola: no space left");
    expect(text).not.toContain("absent:");
  });

  test("a second start", () => {
    const by = (...times: number[]) => new Map(times.map((time, round) => [round, time]));
    const secondStart: SecondStart = {
      name: "Isola",
      description: "image debian:12",
      times: { first: by(9000, 12_000), second: by(3000, 3000) },
      processorTimes: { first: by(8000, 8000), second: by(2000, 2000) },
      failure: null,
    };
    const text = report(input({ guests: [guest(isola, qemu)], secondStart }));
    expect(text).toContain("is 3.50 (3.00–4.00) times as fast as the first, 4.00 (4.00–4.00) by processor time.");
    expect(lines(text)).toContain("| Time | 10.5 (9.00–12.0) | 3.00 (3.00–3.00) | 3.50 (3.00–4.00) |");
    const failed = { ...secondStart, times: { first: by(9000), second: by() }, failure: "no login" };
    const other = report(input({ guests: [], secondStart: failed }));
    expect(other).toContain("Isola did not start twice");
    expect(other).toContain("- Second start: no login");
  });
});
