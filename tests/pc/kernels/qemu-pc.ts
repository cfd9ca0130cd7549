// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import type { KernelRun, Pixels } from "./kernel-run.js";

const QEMU = "qemu-system-x86_64";
const TIMEOUT_MS = 60_000;

/** Whether QEMU is installed. */
export function hasQemu(): boolean {
  return spawnSync(QEMU, ["--version"]).status === 0;
}

/** A binary PPM of 8 bits. */
function parsePpm(bytes: Buffer): Pixels {
  const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.toString("latin1", 0, 64));
  if (header === null) throw new Error("QEMU's screendump is no PPM");
  return { width: Number(header[1]), height: Number(header[2]), rgb: bytes.subarray(header[0].length) };
}

/** The machine protocol of a QEMU: one command after the other. */
class Monitor {
  private readonly lines: string[] = [];
  private waiting: (() => void) | null = null;
  private rest = "";

  constructor(private readonly socket: Socket) {
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const parts = (this.rest + text).split("\n");
      this.rest = parts.pop() ?? "";
      this.lines.push(...parts);
      this.waiting?.();
    });
    socket.on("error", () => this.waiting?.());
  }

  async command(command: string, args: Record<string, string> = {}): Promise<void> {
    this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const line = this.lines.shift();
      if (line === undefined) {
        await new Promise<void>((resolve) => (this.waiting = resolve));
        continue;
      }
      const answer = JSON.parse(line) as { return?: unknown; error?: { desc: string } };
      if (answer.error !== undefined) throw new Error(`QEMU: ${command}: ${answer.error.desc}`);
      if (answer.return !== undefined) return;
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

async function connect(path: string): Promise<Socket> {
  for (let tries = 0; tries < 200; tries++) {
    if (existsSync(path)) {
      const socket = createConnection(path);
      try {
        await once(socket, "connect");
        return socket;
      } catch {
        socket.destroy();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("QEMU does not open its monitor");
}

/** Runs a kernel on QEMU's PC. */
export async function runOnQemu(rom: string, floppy: string | null, scratch: string): Promise<KernelRun> {
  const socket = join(scratch, "qmp");
  const child = spawn(QEMU, [
    ...[
      "-accel",
      "tcg",
      "-machine",
      "pc",
      "-m",
      "16",
      "-nodefaults",
      "-no-user-config",
      "-vga",
      "std",
      "-display",
      "none",
    ],
    ...["-bios", rom, "-serial", "stdio", "-qmp", `unix:${socket},server=on,wait=off`, "-rtc", "base=2024-01-01"],
    ...["-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
    ...(floppy === null ? [] : ["-drive", `if=floppy,format=raw,file=${floppy}`]),
  ]);
  const run: KernelRun = { serial: "", pictures: new Map(), passed: false };
  const timer = setTimeout(() => child.kill(), TIMEOUT_MS);
  try {
    const monitor = new Monitor(await connect(socket));
    await monitor.command("qmp_capabilities");
    let shown = 0;
    const ended = once(child, "close");
    const photograph = async (name: string): Promise<void> => {
      const file = join(scratch, "screen.ppm");
      await monitor.command("screendump", { filename: file });
      run.pictures.set(name, parsePpm(readFileSync(file)));
      child.stdin.write("x");
    };
    child.stdout.on("data", (bytes: Buffer) => {
      run.serial += bytes.toString("latin1");
      for (const [, name] of run.serial.slice(shown).matchAll(/^picture (.*)\n/gm)) void photograph(name ?? "");
      shown = run.serial.lastIndexOf("\n") + 1;
    });
    const [status] = (await ended) as [number | null];
    monitor.close();
    run.passed = status === 0x21;
    return run;
  } finally {
    clearTimeout(timer);
    child.kill();
  }
}
