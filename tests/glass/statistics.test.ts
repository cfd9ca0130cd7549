// SPDX-License-Identifier: Apache-2.0
import { sumOf } from "@isola/base";
import type { MachineStatistics } from "@isola/machine";
import { COUNTER_GROUPS, flattenStatistics } from "@isola/vmm";
import { beforeAll, describe, expect, it } from "vitest";
import { assembleFlat, flatGuestObstacle, flatMachine, runToExit } from "./flat-guest.js";

const obstacle = flatGuestObstacle();
if (obstacle !== null) process.stderr.write(`SKIPPED statistics of guests: ${obstacle}\n`);

describe.skipIf(obstacle !== null)("statistics of a guest that does a known number of things", () => {
  let statistics: MachineStatistics;
  let retired = 0;

  beforeAll(() => {
    const machine = flatMachine(assembleFlat("activity"));
    machine.boot();
    runToExit(machine);
    statistics = machine.statistics();
    retired = machine.retired;
  });

  const vcpu = () => {
    const [first] = statistics.vcpus;
    if (first === undefined) throw new Error("no vCPU");
    return first;
  };

  it("count instructions", () => {
    expect(vcpu().instructions).toBe(retired);
    expect(retired).toBeGreaterThan(2000);
    expect(vcpu().slices).toBeGreaterThanOrEqual(3);
  });

  it("count exceptions and interrupts by vector", () => {
    expect(vcpu().exceptions).toEqual({ "#UD": 1, "#PF": 2 });
    expect(vcpu().softwareInterrupts).toEqual({ "0x30": 3 });
    expect(vcpu().interrupts).toEqual({ "0x40": 2 });
    expect(vcpu().pageFaults).toBe(2);
  });

  it("count traps by instruction and accesses by device", () => {
    expect(vcpu().traps).toMatchObject({ cpuid: 5, hlt: 2 });
    expect(vcpu().exits["trap"]).toBe(sumOf(vcpu().traps));
    const { portReads, portWrites, mmioWrites } = statistics.machine;
    expect(portReads).toEqual({ rtc: 5 });
    expect(portWrites).toMatchObject({ serial0: 3, "isa-debug-exit": 1 });
    // Spurious vector, timer vector, two initial counts, two ends of interrupt.
    expect(mmioWrites).toEqual({ lapic: 6 });
    expect(statistics.serial).toEqual([{ bytesOut: 3, bytesIn: 0 }]);
  });

  it("count code", () => {
    // The page itself is written by the guest, each time in a block that has been decoded.
    expect(statistics.code.blocksInvalidated).toBeGreaterThanOrEqual(4);
    expect(vcpu().blocksDecoded).toBeGreaterThan(statistics.code.blocksInvalidated);
    expect(vcpu().exits["decode"]).toBe(vcpu().blocksDecoded);
    expect(vcpu().links).toBeGreaterThan(0);
    expect(vcpu().blockLookups).toBeGreaterThanOrEqual(vcpu().blocksDecoded);
    expect(statistics.code.pagesProtected).toBeGreaterThanOrEqual(1);
    expect(statistics.code.arenaBytes).toBeGreaterThan(0);
  });

  it("count translations: every walk comes from a miss, and fills what it found", () => {
    const { tlbMisses, tlbFills, pageWalks } = vcpu();
    expect(sumOf(tlbMisses)).toBe(pageWalks);
    expect(tlbFills).toBeGreaterThan(0);
    expect(Object.keys(tlbMisses).toSorted()).toEqual(["execute", "read", "write"]);
  });

  it("count sleeps: twice until the timer, 100 microseconds of its 1 GHz divided by 2", () => {
    expect(vcpu().sleeps).toBe(2);
    expect(vcpu().sleepTime).toBeGreaterThan(390_000);
    expect(vcpu().sleepTime).toBeLessThan(410_000);
    expect(statistics.machine).toMatchObject({ boots: 1, timersFired: 2 });
    expect(statistics.machine.guestTime).toBeGreaterThan(vcpu().sleepTime);
  });

  it("are plain data, and every value was declared", () => {
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
    const declared = new Set(
      COUNTER_GROUPS.flatMap(({ part, specs }) => Object.keys(specs).map((n) => `${part}.${n}`)),
    );
    for (const name of Object.keys(flattenStatistics(statistics))) {
      const [part, ...rest] = name.split(".");
      const counter = rest.find((word) => !/^\d+$/.test(word));
      expect(declared).toContain(`${part}.${counter}`);
    }
  });

  it("repeat exactly on a virtual clock, but for host time", () => {
    const machine = flatMachine(assembleFlat("activity"));
    machine.boot();
    runToExit(machine);
    const again = machine.statistics();
    const strip = (s: MachineStatistics) => ({ ...s, machine: { ...s.machine, hostTime: 0 } });
    expect(strip(again)).toEqual(strip(statistics));
  });
});
