// SPDX-License-Identifier: Apache-2.0
// Small kernels of our own on old devices, in a ROM in place of the BIOS: on our PC and, where it is installed, on QEMU's.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testTranslation } from "../../packages/isa-x86/src/compiler/policy.fixture.js";
import { assemblerObstacle } from "../guests/assemble.js";
import { repositoryRoot } from "../oracle/native-harness.js";
import { firstDifference, type KernelRun } from "./kernels/kernel-run.js";
import { runOnIsola } from "./kernels/isola-pc.js";
import { hasQemu, runOnQemu } from "./kernels/qemu-pc.js";
import { buildRom } from "./kernels/rom-image.js";

const TIMEOUT_MS = 120_000;
const FLOPPY_BYTES = 1440 << 10;
const GOLDEN = join(repositoryRoot(), "tests/pc/kernels/golden.json");

const built = existsSync(join(repositoryRoot(), "build/interpreter.wasm")) ? null : "the engine is not built";
const obstacle = assemblerObstacle() ?? built;
if (obstacle !== null) process.stderr.write(`SKIPPED kernels on old devices: ${obstacle}\n`);
// What QEMU makes of the kernels does not depend on how Isola executes them.
const compared = obstacle === null && testTranslation() !== "at-once";
const qemu = compared && hasQemu();
if (compared && !qemu) process.stderr.write("SKIPPED the comparison of kernels with QEMU: it is not installed\n");

/** Every sector begins with its number. */
function floppyImage(): Uint8Array {
  return Uint8Array.from({ length: FLOPPY_BYTES }, (_, i) => ((i >> 9) + (i & 511) * 7 + (i >> 17)) & 0xff);
}

/** Pictures that QEMU draws otherwise than a VGA does: it has no pixel mask (port 0x3C6). */
const NOT_COMPARED = ["dac-mask"];

/** Track 79 of side 0, which the kernel formats: QEMU forgets what it is to be filled with. */
const FORMATTED = { start: 79 * 36 * 512, end: (79 * 36 + 18) * 512 };

/**
 * What a kernel reports. Its checks are left out: QEMU fails three of the 8254, since its gate does not stop a count, mode 1 does
 * not end and it does not count in decimal (Intel 231164 has all three), and the one of the track.
 */
function reports(serial: string): string[] {
  return serial.split("\n").filter((line) => !/^(failed: |FAILED|OK)/.test(line));
}

/** Bits of a colour that count: VGA colours have six, those of a frame buffer as many as it has. */
function colourBits(picture: string): number {
  if (picture === "frame-15" || picture === "frame-16") return 5;
  return picture === "frame-24" || picture === "frame-32" ? 8 : 6;
}

function hashes(run: KernelRun): Record<string, string> {
  const hash = (rgb: Uint8Array) => createHash("sha256").update(rgb).digest("hex").slice(0, 16);
  return Object.fromEntries(
    [...run.pictures].map(([name, { width, height, rgb }]) => [name, `${width}x${height} ${hash(rgb)}`]),
  );
}

async function onQemu(rom: string, disk: Uint8Array | null): Promise<KernelRun> {
  const scratch = mkdtempSync(join(tmpdir(), "isola-kernel-"));
  try {
    const path = join(scratch, "floppy.img");
    if (disk !== null) writeFileSync(path, disk);
    const run = await runOnQemu(rom, disk === null ? null : path, scratch);
    if (disk !== null) disk.set(readFileSync(path));
    return run;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const golden = JSON.parse(readFileSync(GOLDEN, "utf8")) as Record<string, { serial: string; pictures: object }>;

describe.skipIf(obstacle !== null)("kernels of our own", () => {
  it.each([
    ["vga", false],
    ["devices", true],
  ] as const)(
    "%s",
    async (name, withFloppy) => {
      const rom = buildRom(name);
      const disk = withFloppy ? floppyImage() : null;
      const ours = await runOnIsola(new Uint8Array(readFileSync(rom)), disk);
      if (qemu) {
        const theirDisk = withFloppy ? floppyImage() : null;
        const theirs = await onQemu(rom, theirDisk);
        expect(reports(ours.serial)).toEqual(reports(theirs.serial));
        expect([...ours.pictures.keys()]).toEqual([...theirs.pictures.keys()]);
        const differences = [...theirs.pictures].map(([picture, there]) => {
          const here = ours.pictures.get(picture);
          return [picture, here === undefined ? "missing" : firstDifference(here, there, colourBits(picture))] as const;
        });
        const unexpected = differences.filter(([name, found]) => found !== null && !NOT_COMPARED.includes(name));
        expect(unexpected).toEqual([]);
        for (const bytes of [disk, theirDisk]) bytes?.fill(0, FORMATTED.start, FORMATTED.end);
        if (disk !== null && theirDisk !== null) expect(Buffer.compare(disk, theirDisk)).toBe(0);
      }
      expect(ours.serial).toMatch(/^OK$/m);
      expect(ours.passed).toBe(true);
      if (process.env["BLESS"] === "1") {
        golden[name] = { serial: ours.serial, pictures: hashes(ours) };
        writeFileSync(GOLDEN, `${JSON.stringify(golden, null, 2)}\n`);
      }
      expect({ serial: ours.serial, pictures: hashes(ours) }).toEqual(golden[name]);
    },
    TIMEOUT_MS,
  );
});
