// SPDX-License-Identifier: Apache-2.0
// Linux's own drivers on the USB controller and its devices, and on virtio's input devices, display and balloon.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { ensureEnds, GuestShell } from "./guest-shell.js";
import { IsolaProcess } from "./isola-process.js";
import { residentGuestRam } from "./process-memory.js";
import { pullOrSkip } from "./pull.js";
import { VncClient } from "./vnc-client.js";

const IMAGE = "busybox:generic";
const MIB = 1 << 20;
const MEMORY_MIB = 512;
const LEFT_MIB = 256;
const DISK = Buffer.from(Array.from({ length: 8 * MIB }, (_, i) => (i * 31 + (i >> 9)) & 0xff));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const SMALL_A = 0x61;

interface Session {
  readonly isola: IsolaProcess;
  readonly shell: GuestShell;
  readonly viewer: VncClient;
}

/** A machine with a screen, and a viewer of it. */
async function start(context: CheckContext, name: string, options: readonly string[]): Promise<Session> {
  await pullOrSkip(context, IMAGE);
  const socket = join(context.scratch, "vnc");
  const screen = ["--gpu", "1280x800", "--vnc", `unix:${socket}`, "--screenshot", join(context.scratch, "screen.png")];
  const args = ["run", IMAGE, "--memory", `${MEMORY_MIB}M`, ...screen, ...options];
  const isola = new IsolaProcess(context, { name, args });
  try {
    await isola.expect(/Isola: busybox shell on/);
    await isola.expect(/# /);
    return { isola, shell: new GuestShell(isola), viewer: await VncClient.open(socket) };
  } catch (error) {
    isola.kill();
    throw error;
  }
}

/** The event device of an input device, by a part of its name. */
function eventDevice(shell: GuestShell, name: string): Promise<string> {
  return shell.must(
    `awk '/Name=/ { found = /${name}/ } /Handlers=/ && found { print }' /proc/bus/input/devices | grep -o 'event[0-9]*'`,
  );
}

/** Type, code and value of the next events of a device while `act` happens. */
async function events(shell: GuestShell, device: string, count: number, act: () => void): Promise<string[]> {
  await shell.must(`dd if=/dev/input/${device} of=/tmp/events bs=24 count=${count} 2> /dev/null & sleep 1`);
  act();
  // Time stamps go first: 16 of the 24 bytes.
  const words = await shell.must("wait; od -An -v -w24 -t u2 /tmp/events | awk '{ print $9, $10, $11 + 65536 * $12 }'");
  return words.split("\n").map((line) => line.trim());
}

async function ensureInputs({ shell, viewer }: Session, keyboard: string, tablet: string): Promise<void> {
  const keys = await events(shell, await eventDevice(shell, keyboard), keyboard.startsWith("USB") ? 6 : 4, () =>
    viewer.type(SMALL_A),
  );
  const pressed = keys.filter((event) => event.startsWith("1 "));
  ensureEqual(pressed, ["1 30 1", "1 30 0"], `what the ${keyboard} told of the key A`);
  const device = await eventDevice(shell, tablet);
  const { width, height } = viewer;
  const moves = await events(shell, device, 3, () => viewer.point(width - 1, Math.floor(height / 2), 0));
  const [x, y] = moves.filter((event) => event.startsWith("3 ")).map((event) => Number(event.split(" ")[2]));
  ensure(x === 0x7fff && y !== undefined && Math.abs(y - 0x4000) < 0x40, `the ${tablet} was at ${x}, ${y}`);
}

/** The console of the kernel is on the screen: some pixels are not black. */
async function ensurePicture(context: CheckContext, { isola }: Session): Promise<void> {
  const file = join(context.scratch, "screen.png");
  for (let i = 0; i < 100 && !existsSync(file); i++) {
    isola.kill("SIGUSR1");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const png = readFileSync(file);
  ensureEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1280, 800], "the size of the screenshot");
}

/** Memory that the guest has used and freed is with the host again some seconds later. */
async function ensureReported(context: CheckContext, { isola, shell }: Session): Promise<void> {
  const resident = (): number | null => residentGuestRam(isola.pid, MEMORY_MIB * MIB);
  await shell.must("mkdir /tmp/fill && mount -t tmpfs none /tmp/fill");
  await shell.must("dd if=/dev/urandom of=/tmp/fill/bytes bs=1M count=100 2> /dev/null");
  const before = resident();
  if (before === null) return context.note("resident memory: not measured, this host has no /proc/PID/pagemap");
  await shell.must("umount /tmp/fill");
  let after = before;
  for (let i = 0; i < 50 && after > before - 90 * MIB; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    after = resident() ?? before;
  }
  const [most, least] = [before, after].map((bytes) => (bytes / MIB).toFixed(0));
  context.note(`guest RAM that is resident: ${most} MiB, and ${least} MiB after 100 MiB were freed`);
  ensure(after <= before - 90 * MIB, "memory that the guest has freed is still resident");
}

const usb: Check = {
  name: "usb-linux",
  async run(context) {
    const disk = join(context.scratch, "usb.img");
    writeFileSync(disk, DISK);
    const options = ["--disk", `${disk},bus=usb`, "--keyboard", "usb", "--pointer", "tablet"];
    const session = await start(context, "usb-linux", options);
    const { isola, shell } = session;
    try {
      await shell.must("until [ -b /dev/sda ]; do sleep 0.2; done");
      ensureEqual(await shell.must("sha256sum < /dev/sda"), `${sha256(DISK)}  -`, "the hash of the disk");
      await shell.must("dd if=/dev/zero of=/dev/sda bs=64k seek=16 count=16 2> /dev/null && sync");
      await shell.must("echo 3 > /proc/sys/vm/drop_caches");
      const zeroed = Buffer.from(DISK).fill(0, MIB, 2 * MIB);
      ensureEqual(await shell.must("sha256sum < /dev/sda"), `${sha256(zeroed)}  -`, "the hash of the changed disk");
      await ensureInputs(session, "USB Keyboard", "USB Tablet");
      await ensurePicture(context, session);
      const trouble = await shell.run(
        "dmesg | grep -iE 'xhci.*(error|warn|dead|timeout)|usb.*(error|reset)|I/O error'",
      );
      ensureEqual(trouble.output, "", "what the drivers complain about");
      await ensureEnds(context, isola, "poweroff -f");
      ensure(readFileSync(disk).equals(zeroed), "the disk file is not what the guest wrote");
    } finally {
      session.viewer.close();
      isola.kill();
    }
  },
};

const virtio: Check = {
  name: "virtio-linux",
  async run(context) {
    const options = ["--keyboard", "virtio", "--pointer", "virtio", "--balloon", `${LEFT_MIB}M`];
    const session = await start(context, "virtio-linux", options);
    const { isola, shell } = session;
    try {
      await ensureInputs(session, "Virtio Keyboard", "Virtio Tablet");
      await ensurePicture(context, session);
      const pages = ((MEMORY_MIB - LEFT_MIB) * MIB) / 4096;
      await shell.must(`until grep -q 'balloon_inflate ${pages}$' /proc/vmstat; do sleep 0.2; done`);
      await ensureReported(context, session);
      await ensureEnds(context, isola, "poweroff -f");
    } finally {
      session.viewer.close();
      isola.kill();
    }
  },
};

export const usbBoots: readonly Check[] = [usb, virtio];
