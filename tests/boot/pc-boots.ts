// SPDX-License-Identifier: Apache-2.0
// A `pc` from its BIOS on: boot sectors of our own, and what other people have put on CDs and floppies.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../../packages/base/src/index.js";
import { readPackageFiles } from "../../packages/images/src/index.js";
import { type Check, type CheckContext, ensure, ensureEqual, Skip } from "./check.js";
import { isoImage } from "./iso-image.js";
import { isola, IsolaProcess, type IsolaOptions } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";

/** GRUB's prompt, and the sequence by which the display clears the rest of the line. */
const EMPTY_PROMPT = new RegExp(`grub>${String.fromCharCode(0x1b)}\\[K`, "u");
const SECTOR = 512;
const EXIT_CODE = 0x2a;
const EXIT_STATUS = (EXIT_CODE << 1) | 1;
const TEXT = "Hello from a boot sector";

/**
 * A boot sector that writes {@link TEXT} by the BIOS to the screen and by port to the first serial port, says "K" when a
 * key with a character was pressed if `waits`, and ends the machine.
 */
function bootSector(waits: boolean): Uint8Array {
  const code = [
    ...[0xfc, 0x31, 0xc0, 0x8e, 0xd8], // cld; xor ax, ax; mov ds, ax
    ...[0xe8, 0, 0, 0x5e, 0x83, 0xc6, 0], // call next; next: pop si; add si, message - next
    ...[0xac, 0x84, 0xc0, 0x74, 0x0d], // again: lodsb; test al, al; jz end
    ...[0xba, 0xf8, 0x03, 0xee], // mov dx, 0x3f8; out dx, al
    ...[0xb4, 0x0e, 0xbb, 7, 0, 0xcd, 0x10], // mov ah, 14; mov bx, 7; int 0x10
    ...[0xeb, 0xee], // jmp again
    // end:
    ...(waits ? [0x31, 0xc0, 0xcd, 0x16, 0x3c, 0x6b, 0x75, 0xf8] : []), // xor ax, ax; int 0x16; cmp al, "k"; jne
    ...[0xb0, EXIT_CODE, 0xe6, 0xf4, 0xeb, 0xfe], // mov al, code; out 0xf4, al; jmp $
  ];
  const next = 8;
  code[11] = code.length - next;
  const sector = new Uint8Array(SECTOR);
  sector.set(code);
  sector.set(Buffer.from(`${TEXT}\r\n\0`), code.length);
  sector.set([0x55, 0xaa], SECTOR - 2);
  return sector;
}

/** Runs a `pc`; where neither cache nor archive has a BIOS for it, the check is skipped. */
async function pc(context: CheckContext, options: IsolaOptions): Promise<Awaited<ReturnType<typeof isola>>> {
  await firmware();
  return isola(context, { ...options, args: ["run", "--machine", "pc", ...options.args] });
}

async function startPc(context: CheckContext, options: IsolaOptions): Promise<IsolaProcess> {
  await firmware();
  return new IsolaProcess(context, { ...options, args: ["run", "--machine", "pc", ...options.args] });
}

let firmwareReady: Promise<unknown> | null = null;

function firmware(): Promise<unknown> {
  firmwareReady ??= packageFiles("seabios", ["usr/share/seabios/bios-256k.bin"]);
  return firmwareReady;
}

/** Files of a Debian package; Skip where no archive is in reach. */
async function packageFiles(name: string, paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  try {
    return (await readPackageFiles({ packageName: name, paths })).files;
  } catch (error) {
    if (error instanceof OperatorError) throw new Skip(`no package ${name}: ${error.message}`);
    throw error;
  }
}

/** Puts a file of a package into the scratch directory. */
async function medium(context: CheckContext, name: string, path: string): Promise<string> {
  const bytes = (await packageFiles(name, [path])).get(path) ?? new Uint8Array();
  const file = join(context.scratch, path.split("/").at(-1) ?? name);
  writeFileSync(file, bytes);
  return file;
}

const bootSectors: Check = {
  name: "pc-boot-sector",
  async run(context) {
    const sector = bootSector(false);
    const image = join(context.scratch, "boot.img");
    const disk = new Uint8Array(1 << 20);
    disk.set(sector);
    writeFileSync(image, disk);
    const iso = join(context.scratch, "boot.iso");
    writeFileSync(iso, isoImage([{ path: "BOOT.BIN", bytes: sector }], { path: "BOOT.BIN", table: false }));
    for (const [kind, file] of [
      ["disk", image],
      ["floppy", image],
      ["cdrom", iso],
    ] as const) {
      const args = [`--${kind}`, file, "--device", "isa-debug-exit", "--memory", "32M"];
      const { status, output } = await pc(context, { name: `pc-${kind}`, args });
      ensureEqual(status, EXIT_STATUS, `the exit status of the ${kind}`);
      ensure(output.includes(TEXT), `the ${kind} wrote: ${output}`);
    }
  },
};

const keyboard: Check = {
  name: "pc-keyboard",
  async run(context) {
    const image = join(context.scratch, "boot.img");
    const disk = new Uint8Array(1440 << 10);
    disk.set(bootSector(true));
    writeFileSync(image, disk);
    const shot = join(context.scratch, "screen.png");
    const options = ["--device", "isa-debug-exit", "--display", "text", "--screenshot", shot];
    const machine = await startPc(context, { name: "pc-keyboard", args: ["--floppy", image, ...options] });
    try {
      await machine.expect(new RegExp(TEXT));
      machine.send("xK");
      machine.send("k");
      ensureEqual((await machine.result()).status, EXIT_STATUS, "the exit status after a key");
      const png = readFileSync(shot);
      ensureEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [720, 400], "the size of the screenshot");
    } finally {
      machine.kill();
    }
  },
};

/** From a USB disk, with a USB keyboard, which gets the keys as soon as the BIOS has asked it for reports. */
const usb: Check = {
  name: "pc-usb",
  async run(context) {
    const image = join(context.scratch, "boot.img");
    const disk = new Uint8Array(1 << 20);
    disk.set(bootSector(true));
    writeFileSync(image, disk);
    const log = join(context.scratch, "firmware.log");
    const options = ["--device", "isa-debug-exit", "--display", "text", "--firmware-log", log];
    const args = ["--disk", `${image},bus=usb`, "--keyboard", "usb", ...options];
    const machine = await startPc(context, { name: "pc-usb", args });
    try {
      await machine.expect(new RegExp(TEXT));
      machine.send("xK");
      machine.send("k");
      ensureEqual((await machine.result()).status, EXIT_STATUS, "the exit status after a key");
      const found = readFileSync(log, "latin1").includes("USB keyboard initialized");
      ensure(found, "the firmware has found no USB keyboard");
    } finally {
      machine.kill();
    }
  },
};

const noDevice: Check = {
  name: "pc-no-device",
  async run(context) {
    const machine = await startPc(context, { name: "pc-no-device", args: ["--display", "text", "--memory", "32M"] });
    try {
      await machine.expect(/SeaBIOS \(version/);
      await machine.expect(/No bootable device/);
    } finally {
      machine.kill();
    }
  },
};

const ipxe: Check = {
  name: "pc-ipxe",
  async run(context) {
    const iso = await medium(context, "ipxe", "usr/lib/ipxe/ipxe.iso");
    const machine = await startPc(context, { name: "pc-ipxe", args: ["--cdrom", iso, "--display", "text"] });
    try {
      await machine.expect(/iPXE initialising devices/);
      await machine.expect(/Open Source Network Boot Firmware/);
    } finally {
      machine.kill();
    }
  },
};

const memtest: Check = {
  name: "pc-memtest",
  async run(context) {
    for (const kind of ["x64", "ia32"]) {
      const iso = await medium(context, "memtest86+", `usr/lib/memtest86+/memtest86+${kind}.iso`);
      const args = ["--cdrom", iso, "--display", "text", "--memory", "32M", "--cpus", "2"];
      const machine = await startPc(context, { name: `pc-memtest-${kind}`, args });
      try {
        await machine.expect(/Memtest86\+ v6/);
        await machine.expect(/Test #4/);
        const { 1: errors } = await machine.expect(/Errors: (\d+)/);
        ensureEqual(errors, "0", "the number of memory errors");
      } finally {
        machine.kill();
      }
    }
  },
};

/** The kernel and initramfs of the busybox image under short names. */
async function busybox(context: CheckContext): Promise<{ kernel: Uint8Array; initrd: Uint8Array }> {
  const image = await pullOrSkip(context, "busybox");
  return { kernel: readFileSync(image.get("kernel") ?? ""), initrd: readFileSync(image.get("initrd") ?? "") };
}

const SHELL = /busybox shell on \d/;
const LINUX = "console=tty0 console=ttyS0 quiet panic=-1 cryptomgr.notests";

const isolinux: Check = {
  name: "pc-isolinux",
  async run(context) {
    const { kernel, initrd } = await busybox(context);
    const boot = await packageFiles("isolinux", ["usr/lib/ISOLINUX/isolinux.bin"]);
    const modules = await packageFiles("syslinux-common", ["usr/lib/syslinux/modules/bios/ldlinux.c32"]);
    const config = `SERIAL 0\nDEFAULT linux\nLABEL linux\n  KERNEL /VMLINUZ\n  INITRD /INITRD\n  APPEND ${LINUX}\n`;
    const files = [
      { path: "ISOLINUX/ISOLINUX.BIN", bytes: [...boot.values()][0] ?? new Uint8Array() },
      { path: "ISOLINUX/LDLINUX.C32", bytes: [...modules.values()][0] ?? new Uint8Array() },
      { path: "ISOLINUX/ISOLINUX.CFG", bytes: Buffer.from(config) },
      { path: "VMLINUZ", bytes: kernel },
      { path: "INITRD", bytes: initrd },
    ];
    const iso = join(context.scratch, "linux.iso");
    writeFileSync(iso, isoImage(files, { path: "ISOLINUX/ISOLINUX.BIN", table: true }));
    const machine = await startPc(context, { name: "pc-isolinux", args: ["--cdrom", iso, "--cpus", "2"] });
    try {
      await machine.expect(/ISOLINUX/);
      await machine.expect(SHELL);
      machine.send("dmesg | grep -c 'smpboot: Total of 2'; poweroff -f\n");
      await machine.expect(/\n1\r/);
      ensureEqual((await machine.result()).status, 0, "the exit status after poweroff");
    } finally {
      machine.kill();
    }
  },
};

const grub: Check = {
  name: "pc-grub",
  async run(context) {
    const { kernel, initrd } = await busybox(context);
    const floppy = await medium(context, "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-floppy.img");
    const cdrom = await medium(context, "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-cdrom.iso");
    const disk = join(context.scratch, "linux.iso");
    const files = [
      { path: "VMLINUZ", bytes: kernel },
      { path: "INITRD", bytes: initrd },
    ];
    writeFileSync(disk, isoImage(files, { path: "", table: false }));
    // From the floppy, to the prompt only: the rest would take as long as a floppy does.
    const fromFloppy = ["--floppy", floppy, "--boot", "floppy", "--display", "text"];
    const first = await startPc(context, { name: "pc-grub-floppy", args: fromFloppy });
    try {
      await first.expect(/GNU GRUB {2}version 2/);
    } finally {
      first.kill();
    }
    const args = ["--cdrom", cdrom, "--disk", `${disk},readonly`, "--boot", "cdrom", "--display", "text"];
    const machine = await startPc(context, { name: "pc-grub-cdrom", args });
    try {
      await machine.expect(/`c' for a command-line/);
      machine.send("c");
      for (const line of [
        `linux (hd0)/vmlinuz console=ttyS0 console=tty0 quiet panic=-1 cryptomgr.notests`,
        "initrd (hd0)/initrd",
        "boot",
      ]) {
        await machine.expect(EMPTY_PROMPT);
        for (const character of `${line}\r`) {
          machine.send(character);
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
      }
      await machine.expect(SHELL);
    } finally {
      machine.kill();
    }
  },
};

export const pcBoots: readonly Check[] = [grub, isolinux, memtest, ipxe, bootSectors, keyboard, usb, noDevice];
