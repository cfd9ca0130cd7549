// SPDX-License-Identifier: Apache-2.0
import type { MachineStatistics } from "@isola/vmm";
import { describe, expect, it } from "vitest";
import { statisticsText } from "./statistics-text.js";

const STATISTICS: MachineStatistics = {
  version: 1,
  machine: {
    guestTime: 24.82e9,
    hostTime: 2e6,
    shares: 7,
    boots: 1,
    timersFired: 0,
    portReads: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`dev${i}`, i])),
    portWrites: {},
    mmioReads: {},
    mmioWrites: {},
  },
  vcpus: [
    {
      instructions: 1_000_000,
      slices: 20,
      exits: { trap: 1500, decode: 500 },
      traps: { cpuid: 1500 },
      blocksDecoded: 500,
      tlbMisses: { read: 250 },
      tlbFills: 0,
      tlbFlushes: 0,
      pageInvalidations: 0,
      pageWalks: 0,
      pageFaults: 0,
      blockLookups: 0,
      links: 0,
      exceptions: {},
      interrupts: {},
      softwareInterrupts: {},
      sleeps: 1,
      sleepTime: 1500,
    },
  ],
  code: {
    instructionsInterpreted: 1000,
    instructionsCompiled: 0,
    blocksInvalidated: 0,
    blocksEvicted: 0,
    arenaEvictions: 0,
    pagesProtected: 0,
    arenaBytes: 3 << 19,
  },
  compiler: {
    modules: 2,
    regions: 0,
    blocks: 0,
    records: 0,
    wasmBytes: 4096,
    regionsPromoted: 0,
    regionsReused: 0,
    regionsInvalidated: 0,
    regionsEvicted: 0,
    regionsLive: 0,
    generationTime: 0,
    moduleTime: 3e6,
    backgroundTime: 0,
  },
  disks: [],
  networks: [],
  serial: [{ bytesOut: 12, bytesIn: 0 }],
};

describe("statisticsText", () => {
  it("shows what the network counts", () => {
    const zero = {
      opened: 3,
      accepted: 0,
      failed: 0,
      overflowed: 0,
      bytesOut: 2048,
      bytesIn: 0,
      mappings: 0,
      active: 0,
    };
    const nat = { ...zero, queries: 1, queriesRefused: 0, denied: 0, dropped: 0, malformed: 0 };
    expect(statisticsText(STATISTICS, nat)).toMatch(/nat\n  opened +3\n  bytesOut +2\.0 KiB\n  queries +1\nrates/);
  });

  it("is a table of what is not zero, in units, with the largest labels first", () => {
    expect(statisticsText(STATISTICS)).toBe(
      [
        "machine",
        "  guestTime                     24.820 s",
        "  hostTime                      2.000 ms",
        "  shares                               7",
        "  boots                                1",
        "  portReads                           55  dev10 10, dev9 9, dev8 8, dev7 7, dev6 6, dev5 5, dev4 4, dev3 3, 2 more 3",
        "vcpu 0",
        "  instructions                 1,000,000",
        "  slices                              20",
        "  exits                            2,000  trap 1,500, decode 500",
        "  traps                            1,500  cpuid 1,500",
        "  blocksDecoded                      500",
        "  tlbMisses                          250  read 250",
        "  sleeps                               1",
        "  sleepTime                       1.5 us",
        "code",
        "  instructionsInterpreted           1,000",
        "  arenaBytes                     1.5 MiB",
        "compiler",
        "  modules                              2",
        "  wasmBytes                      4.0 KiB",
        "  moduleTime                    3.000 ms",
        "serial 0",
        "  bytesOut                          12 B",
        "rates",
        "  speed                        500.0 M/s  instructions per second of host time",
        "  exits                            2.000  per 1000 instructions",
        "  traps                            1.500  per 1000 instructions",
        "  TLB misses                       0.250  per 1000 instructions",
        "",
      ].join("\n"),
    );
  });

  it("needs no instructions", () => {
    expect(statisticsText({ ...STATISTICS, vcpus: [] })).not.toContain("rates");
  });
});
