// SPDX-License-Identifier: Apache-2.0
// Random accesses to every device of a machine, with requests over structures in RAM that are often wrong, registers at
// absurd addresses, DMA to where no memory is, disks that fail. The machines run in processes of their own, because a
// loop in one could not be interrupted. Sub-targets of devices are in packages/devices/src, beside them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../oracle/native-harness.js";

const ACCESSES = 2500;
const TIMEOUT_MS = 90_000;
const FIRST_SEED = process.env["FUZZ_SEED"] ?? "1";

const root = repositoryRoot();
const missing = existsSync(join(root, "build/interpreter.wasm")) ? null : "the engine is not built";
if (missing !== null) process.stderr.write(`SKIPPED random accesses to devices: ${missing}\n`);

/** Folders of devices whose accesses are counted under another name. */
const NAMES: Readonly<Record<string, string>> = {
  "debug-console": "debugcon",
  "debug-exit": "isa-debug-exit",
  i440fx: "pci-0.0",
  nvme: "nvme0",
  piix3: "pci-1.0",
  "test-device": "pc-testdev",
  uart16550: "serial0",
  e1000: "network1",
  rtl8139: "network2",
  virtio: "disk0",
  "virtio-blk": "disk0",
  "virtio-fs": "share0",
  "virtio-input": "virtio-tablet",
  "virtio-net": "network0",
  "virtio-vsock": "vsock",
};
/** Parts of others, what only a vCPU reaches, and tools of tests: they are attacked by their own tests, if at all. */
const NO_TARGETS = [
  "audio-output",
  "conformance",
  "lapic",
  "pc-speaker",
  "scsi",
  "usb",
  "usb-hid",
  "usb-keyboard",
  "usb-storage",
  "usb-tablet",
  "wire-or",
];

describe.skipIf(missing !== null)("random accesses", () => {
  const attacked: string[] = [];
  it.each(["pc", "microvm"])(
    "leave the host alone on a %s",
    (preset) => {
      const options = ["--preset", preset, "--seed", FIRST_SEED, "--accesses", String(ACCESSES)];
      const result = spawnSync(process.execPath, [join(root, "tests/fuzz/main.mjs"), "devices", ...options], {
        encoding: "utf8",
        timeout: TIMEOUT_MS,
        killSignal: "SIGKILL",
      });
      const lines = result.stdout.trim().split("\n");
      expect(result.error, `the host did not get control back: ${lines.at(-1)}`).toBeUndefined();
      expect(result.stdout).not.toContain("throw");
      expect(result.status, result.stderr).toBe(0);
      attacked.push(...lines.filter((line) => line.startsWith("done ")).flatMap((line) => line.split(" ").slice(1)));
    },
    TIMEOUT_MS + 10_000,
  );

  it("reach every device", () => {
    const folders = readdirSync(join(root, "packages/devices/src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const targets = folders.filter((name) => !NO_TARGETS.includes(name));
    expect(targets.filter((name) => !attacked.includes(NAMES[name] ?? name))).toEqual([]);
  });
});
