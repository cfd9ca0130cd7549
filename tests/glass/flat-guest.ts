// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import { DEFAULT_CONFIG, Machine, type MachineConfig, type MachinePorts } from "@isola/machine";
import { assemblerObstacle } from "../guests/assemble.js";
import { repositoryRoot } from "../oracle/native-harness.js";

const ADDRESS = 0x10_0000;
const SHARE = 100e6;
const MAX_SHARES = 1000;

/** Why these tests cannot run here, or null. */
export function flatGuestObstacle(): string | null {
  if (!existsSync(join(repositoryRoot(), "build/interpreter.wasm"))) return "the engine is not built";
  return assemblerObstacle();
}

function must(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${result.stderr}`);
}

export interface FlatGuest {
  /** The raw binary, to be loaded and entered at 1 MiB in 64-bit mode. */
  readonly binary: string;
  /** The same as an ELF file with symbols. */
  readonly elf: string;
}

/** Assembles `tests/glass/NAME.S`. */
export function assembleFlat(name: string): FlatGuest {
  // Test files run side by side, and several use the same guest.
  const out = join(repositoryRoot(), "build/tests/glass", process.env["VITEST_POOL_ID"] ?? "0");
  mkdirSync(out, { recursive: true });
  const path = (extension: string) => join(out, `${name}.${extension}`);
  const source = join(repositoryRoot(), "tests/glass", `${name}.S`);
  must("cc", ["-c", "-m64", "-o", path("o"), source]);
  must("ld", ["-m", "elf_x86_64", "-static", "-nostdlib", "-N", "-Ttext", "0x100000", "-o", path("elf"), path("o")]);
  must("objcopy", ["-O", "binary", path("elf"), path("bin")]);
  return { binary: path("bin"), elf: path("elf") };
}

/** A machine with one vCPU on a virtual clock that runs a flat guest. */
export function flatMachine(
  guest: FlatGuest,
  ports: Partial<MachinePorts> = {},
  config: Partial<MachineConfig> = {},
): Machine {
  const built = (name: string) => new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
  const machine = new Machine(
    {
      ...DEFAULT_CONFIG,
      memory: 16 << 20,
      clock: "virtual",
      devices: ["isa-debug-exit"],
      boot: { kind: "flat", file: "guest", address: ADDRESS, mode: "long" },
      ...config,
    },
    {
      wasm: hostWasm,
      modules: { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") },
      clock: { now: () => performance.now() * 1e6, wallTimeMs: () => 0 },
      entropy: { fill: (bytes) => void bytes.fill(0x5a) },
      log: { warn: () => {}, debug: () => {} },
      files: { guest: new Uint8Array(readFileSync(guest.binary)) },
      stores: {},
      serial: [],
      ...ports,
    },
  );
  machine.resumeTime();
  return machine;
}

/** Runs a booted machine until its guest leaves by the debug-exit port. */
export function runToExit(machine: Machine): void {
  for (let i = 0; i < MAX_SHARES; i++) {
    const outcome = machine.run(SHARE);
    if (outcome.kind === "debug-exit") return;
    if (outcome.kind !== "yield" && outcome.kind !== "idle")
      throw new Error(`the guest ended with ${outcome.kind}\n${machine.describeVcpu(0)}`);
  }
  throw new Error(`the guest does not end\n${machine.describeVcpu(0)}`);
}
