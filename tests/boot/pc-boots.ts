// SPDX-License-Identifier: Apache-2.0
// A `pc` from its BIOS on with boot sectors of our own; what others have made is in catalogue/.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { isoImage } from "./iso-image.js";
import { isola, IsolaProcess, type IsolaOptions } from "./isola-process.js";
import { packageFiles } from "./packages.js";

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

function firmware(): Promise<unknown> {
  return packageFiles("seabios", ["usr/share/seabios/bios-256k.bin"]);
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

export const pcBoots: readonly Check[] = [bootSectors, keyboard, usb, noDevice];
