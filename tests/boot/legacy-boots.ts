// SPDX-License-Identifier: Apache-2.0
// Linux's own drivers on the sound card, the loudspeaker, the RTL8139 and the parallel port of a `pc`.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../../packages/base/src/index.js";
import { readPackageFiles } from "../../packages/images/src/index.js";
import { type Check, type CheckContext, ensure, ensureEqual, Skip } from "./check.js";
import { ensureEnds, GuestShell } from "./guest-shell.js";
import { isoImage } from "./iso-image.js";
import { IsolaProcess } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";

const IMAGE = "busybox:legacy";
const RATE = 48_000;
const TONE_PERIOD = 100;
const TONE_FRAMES = 2 * RATE;
const PEAK = 10_000;
const WAV_HEADER = 44;

async function packageFile(name: string, path: string): Promise<Uint8Array> {
  try {
    const { files } = await readPackageFiles({ packageName: name, paths: [path] });
    return files.get(path) ?? new Uint8Array();
  } catch (error) {
    if (error instanceof OperatorError) throw new Skip(`no package ${name}: ${error.message}`);
    throw error;
  }
}

/** A CD with the kernel and initramfs of the image behind isolinux. */
async function bootCd(context: CheckContext): Promise<string> {
  const image = await pullOrSkip(context, IMAGE);
  const append = "console=ttyS0 quiet panic=-1 cryptomgr.notests";
  const config = `DEFAULT linux\nLABEL linux\n  KERNEL /VMLINUZ\n  INITRD /INITRD\n  APPEND ${append}\n`;
  const files = [
    { path: "ISOLINUX/ISOLINUX.BIN", bytes: await packageFile("isolinux", "usr/lib/ISOLINUX/isolinux.bin") },
    {
      path: "ISOLINUX/LDLINUX.C32",
      bytes: await packageFile("syslinux-common", "usr/lib/syslinux/modules/bios/ldlinux.c32"),
    },
    { path: "ISOLINUX/ISOLINUX.CFG", bytes: Buffer.from(config) },
    { path: "VMLINUZ", bytes: readFileSync(image.get("kernel") ?? "") },
    { path: "INITRD", bytes: readFileSync(image.get("initrd") ?? "") },
  ];
  const iso = join(context.scratch, "legacy.iso");
  writeFileSync(iso, isoImage(files, { path: "ISOLINUX/ISOLINUX.BIN", table: true }));
  return iso;
}

/** A disk that begins with a program that plays a tone; it needs no library. */
function toneDisk(context: CheckContext): string {
  const path = join(context.scratch, "tone");
  const flags = ["-O1", "-static", "-nostdlib", "-fno-stack-protector", "-fno-builtin"];
  const result = spawnSync("cc", [...flags, "-o", path, join(context.root, "tests/boot/guest/tone.c")]);
  if (result.status !== 0) throw new Skip("no compiler for the program that plays a tone");
  const disk = new Uint8Array(1 << 20);
  disk.set(readFileSync(path));
  writeFileSync(path, disk);
  return path;
}

/** Left samples of a WAV file, whose header must fit it. */
function leftSamples(path: string): number[] {
  const file = readFileSync(path);
  ensureEqual([file.readUInt32LE(4), file.readUInt32LE(40)], [file.length - 8, file.length - WAV_HEADER], "WAV sizes");
  return Array.from({ length: (file.length - WAV_HEADER) / 4 }, (_, i) => file.readInt16LE(WAV_HEADER + 4 * i));
}

/** How often a wave goes up through zero. */
function rises(samples: readonly number[]): number {
  return samples.filter((sample, i) => sample >= 0 && (samples[i - 1] ?? 0) < 0).length;
}

async function ensureTone(context: CheckContext, shell: GuestShell, wav: string): Promise<void> {
  await shell.must("grep -q 'Intel 82801AA' /proc/asound/cards");
  await shell.must("dd if=/dev/sda of=/tmp/tone bs=1M count=1 2> /dev/null; chmod +x /tmp/tone; /tmp/tone");
  const samples = leftSamples(wav);
  const heard = samples.filter((sample) => sample !== 0).length;
  context.note(`${heard} samples of ${TONE_FRAMES} were heard, highest ${Math.max(...samples)}`);
  ensure(Math.abs(heard - TONE_FRAMES) < RATE / 10, `${heard} samples were heard instead of ${TONE_FRAMES}`);
  const waves = TONE_FRAMES / TONE_PERIOD;
  ensure(Math.abs(rises(samples) - waves) < waves / 20, `${rises(samples)} waves were heard instead of ${waves}`);
  const highest = Math.max(...samples);
  ensure(highest > PEAK * 0.8 && highest < PEAK * 1.3, `the highest sample was ${highest}`);
}

async function ensureBeep(shell: GuestShell, wav: string): Promise<void> {
  const before = leftSamples(wav).length;
  await shell.must("printf '\\a' > /dev/tty1; sleep 1");
  // The console's bell: 750 Hz for an eighth of a second.
  const waves = rises(leftSamples(wav).slice(before));
  ensure(waves > 70 && waves < 120, `the bell had ${waves} waves`);
}

const legacy: Check = {
  name: "pc-legacy-devices",
  async run(context) {
    const wav = join(context.scratch, "sound.wav");
    const paper = join(context.scratch, "paper");
    const args = ["run", "--machine", "pc", "--boot", "cdrom", "--cdrom", await bootCd(context)];
    args.push("--disk", `${toneDisk(context)},readonly`, "--sound", "ac97", "--audio", wav, "--parallel", paper);
    args.push("--network", "user,card=rtl8139");
    const machine = new IsolaProcess(context, { name: "pc-legacy-devices", args });
    try {
      await machine.expect(/Isola: busybox shell on/);
      await machine.expect(/# /);
      const shell = new GuestShell(machine);
      await shell.must("printf 'from the printer' > /dev/lp0");
      ensureEqual(readFileSync(paper, "latin1"), "from the printer", "what was printed");
      await shell.must("readlink /sys/class/net/eth0/device/driver | grep -q 8139cp");
      await shell.must("ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && ping -c 3 -s 1400 10.0.2.2");
      await ensureTone(context, shell, wav);
      await ensureBeep(shell, wav);
      await ensureEnds(context, machine, "poweroff -f");
    } finally {
      machine.kill();
    }
  },
};

export const legacyBoots: readonly Check[] = [legacy];
