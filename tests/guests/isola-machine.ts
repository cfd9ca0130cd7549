// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import { DEFAULT_CONFIG, Machine } from "@isola/machine";
import { repositoryRoot } from "../oracle/native-harness.js";
import type { GuestMachine, GuestRun } from "./guest-machine.js";
import { testTranslation } from "../../packages/isa-x86/src/compiler/policy.fixture.js";

const MEMORY = 64 << 20;
/** Nanoseconds of host time that one call of `run` may take, and how many such calls a program may need. */
const SHARE = 100_000_000;
const MAX_CALLS = 300;

function built(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
}

/** The project's own machine, without a host around it: one vCPU, a virtual clock, a serial port, the exit port. */
export function isolaMachine(): GuestMachine {
  const modules = { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") };
  return { name: "Isola", run: (elf) => runOnce(elf, modules) };
}

function runOnce(elf: string, modules: { helpers: Uint8Array; interpreter: Uint8Array }): GuestRun {
  const chunks: Uint8Array[] = [];
  const machine = new Machine(
    {
      ...DEFAULT_CONFIG,
      memory: MEMORY,
      clock: "virtual",
      translation: testTranslation(),
      devices: ["isa-debug-exit"],
      boot: { kind: "kernel", kernel: "program", modules: [], commandLine: "" },
    },
    {
      wasm: hostWasm,
      modules,
      clock: { now: () => performance.now() * 1e6, wallTimeMs: () => 0 },
      entropy: { fill: (bytes) => void bytes.fill(0x5a) },
      log: { warn: () => {}, debug: () => {} },
      files: { program: new Uint8Array(readFileSync(elf)) },
      stores: {},
      serial: [{ write: (bytes) => void chunks.push(bytes.slice()) }],
    },
  );
  machine.boot();
  const end = runToEnd(machine);
  return {
    ...end,
    serial: Buffer.concat(chunks).toString("latin1") + (end.lost ? `\n${machine.describeVcpu(0)}` : ""),
  };
}

function runToEnd(machine: Machine): { code: number | null; shutDown: boolean; lost: boolean } {
  for (let call = 0; call < MAX_CALLS; call++) {
    const outcome = machine.run(SHARE);
    switch (outcome.kind) {
      case "debug-exit":
        return { code: outcome.status >> 1, shutDown: false, lost: false };
      case "shutdown":
      case "reset":
        return { code: null, shutDown: true, lost: false };
      case "power-off":
        return { code: null, shutDown: false, lost: true };
      case "idle":
        if (outcome.delay === null) return { code: null, shutDown: false, lost: true };
        break;
      case "yield":
        break;
    }
  }
  return { code: null, shutDown: false, lost: true };
}
