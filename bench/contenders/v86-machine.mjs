// SPDX-License-Identifier: Apache-2.0
// One v86 machine with its serial port on standard input and output; a program of its own, so that it is measured as
// the others are.  v86-machine.mjs KERNEL INITRD COMMAND-LINE BIOS VGA-BIOS MEMORY-MIB
import { readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { V86 } from "v86";

const [kernel, initrd, cmdline, bios, vgaBios, memory] = process.argv.slice(2);

function image(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return { buffer: buffer.slice(byteOffset, byteOffset + byteLength) };
}

const machine = new V86({
  wasm_path: fileURLToPath(new URL("v86.wasm", import.meta.resolve("v86"))),
  memory_size: Number(memory) << 20,
  vga_memory_size: 2 << 20,
  bios: image(bios),
  vga_bios: image(vgaBios),
  bzimage: image(kernel),
  initrd: image(initrd),
  cmdline,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: true,
});
// Bytes leave at once: what reads them takes the time.
machine.add_listener("serial0-output-byte", (byte) => writeSync(1, Uint8Array.of(byte)));
process.stdin.on("data", (bytes) => machine.serial0_send(bytes.toString("latin1")));
process.stdin.on("end", () => process.exit(0));
