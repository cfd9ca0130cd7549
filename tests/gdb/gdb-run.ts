// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../oracle/native-harness.js";

/** Something that runs a Multiboot file and lets GDB control it through a Unix domain socket, from the start. */
export interface Debuggee {
  readonly name: string;
  readonly command: string;
  args(elf: string, socket: string): string[];
}

export const isola: Debuggee = {
  name: "Isola",
  command: process.execPath,
  args: (elf, socket) => [
    join(repositoryRoot(), "build/isola.mjs"),
    ...[
      "run",
      "--kernel",
      elf,
      "--device",
      "isa-debug-exit",
      "--translation",
      process.env["ISOLA_TRANSLATION"] ?? "auto",
    ],
    ...["--gdb", `unix:${socket},wait`],
  ],
};

export const qemu: Debuggee = {
  name: "QEMU",
  command: "qemu-system-x86_64",
  args: (elf, socket) => [
    ...["-accel", "tcg", "-cpu", "max,vendor=GenuineIntel", "-m", "64", "-display", "none", "-monitor", "none"],
    ...["-serial", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-no-reboot", "-kernel", elf],
    ...["-S", "-chardev", `socket,path=${socket},server=on,wait=off,id=gdb`, "-gdb", "chardev:gdb"],
  ],
};

export function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"]).status === 0;
}

const TIMEOUT_MS = 60_000;
const POLL_MS = 20;

async function waitForSocket(path: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  while (!existsSync(path)) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`nobody listens at ${path}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function runGdb(directory: string, script: string): Promise<string> {
  const file = join(directory, "script");
  writeFileSync(file, script);
  return new Promise((resolve, reject) => {
    // Symbols and settings of whoever runs this must not matter.
    const gdb = spawn("gdb", ["-nx", "-batch", "-x", file], { stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS });
    let output = "";
    gdb.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    gdb.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    gdb.on("error", reject);
    gdb.on("close", () => resolve(output));
  });
}

/** Runs a GDB script against a guest program whose symbols GDB has; `commands` begin behind the connection. */
export async function debug(debuggee: Debuggee, elf: string, commands: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "gdb-"));
  const socket = join(directory, "socket");
  const child = spawn(debuggee.command, debuggee.args(elf, socket), { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    await waitForSocket(socket, child);
    const start = ["set pagination off", "set confirm off", "set width 0", `file ${elf}64`, `target remote ${socket}`];
    return await runGdb(directory, [...start, commands].join("\n"));
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}
