// SPDX-License-Identifier: Apache-2.0
import type { Check, CheckContext } from "./check.js";
import { ensureEqual } from "./check.js";
import { ensureEnds, ensureMemory, GuestShell } from "./guest-shell.js";
import { IsolaProcess } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";

const MEMORY_MIB = 256;

interface BusyboxBoot {
  readonly image: string;
  /** `uname -m`. */
  readonly machine: string;
  readonly cpus: number;
  /** What ends the machine. */
  readonly end: string;
  readonly args?: readonly string[];
}

async function boot(
  context: CheckContext,
  name: string,
  { image, machine, cpus, end, args }: BusyboxBoot,
): Promise<void> {
  await pullOrSkip(context, image);
  const options = ["--cpus", String(cpus), "--memory", `${MEMORY_MIB}M`, ...(args ?? [])];
  const isola = new IsolaProcess(context, { name, args: ["run", image, ...options] });
  try {
    await isola.expect(/Isola: busybox shell on/);
    await isola.expect(/# /);
    const shell = new GuestShell(isola);
    ensureEqual(await shell.must("uname -m"), machine, "uname -m");
    ensureEqual(await shell.must("echo $((1234567 * 891))"), "1099999197", "shell arithmetic");
    await shell.ensureCpus(cpus);
    // One busy process a processor, so that every one of them runs user code.
    const job = "seq 1 20000 | sha256sum";
    const jobs = Array.from({ length: cpus }, () => `(${job}) &`).join(" ");
    const sums = await shell.must(`${jobs} wait`);
    const expected = "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a  -";
    for (const sum of sums.split("\n").filter((line) => line.endsWith("  -"))) ensureEqual(sum, expected, job);
    ensureMemory(context, isola, MEMORY_MIB << 20);
    await ensureEnds(context, isola, end);
  } finally {
    isola.kill();
  }
}

function check(name: string, options: BusyboxBoot): Check {
  return { name, run: (context) => boot(context, name, options) };
}

const AMD64 = { image: "busybox", machine: "x86_64" };
const I386 = { image: "busybox:i386", machine: "i686" };

export const busyboxBoots: readonly Check[] = [
  check("busybox-amd64-1", { ...AMD64, cpus: 1, end: "poweroff -f" }),
  check("busybox-amd64-4", { ...AMD64, cpus: 4, end: "poweroff -f" }),
  check("busybox-i386-1", { ...I386, cpus: 1, end: "poweroff -f" }),
  check("busybox-i386-4", { ...I386, cpus: 4, end: "poweroff -f" }),
  check("busybox-reboot", { ...AMD64, cpus: 1, end: "reboot -f", args: ["--no-reboot"] }),
];
