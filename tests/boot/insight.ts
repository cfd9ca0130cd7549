// SPDX-License-Identifier: Apache-2.0
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineStatistics } from "@isola/vmm";
import { type Check, ensure, ensureEqual } from "./check.js";
import { GuestShell } from "./guest-shell.js";
import { IsolaProcess } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

function checkStatistics(text: string): void {
  const line = text.split("\n").find((one) => one.startsWith("{"));
  ensure(line !== undefined, `there are no statistics in: ${text}`);
  const { version, vcpus, serial, machine } = JSON.parse(line) as MachineStatistics;
  ensureEqual([version, vcpus.length], [1, 2], "version and number of vCPUs of the statistics");
  for (const { instructions, interrupts, exceptions, traps, sleeps, pageWalks } of vcpus) {
    ensure(instructions > 1e6, `a vCPU executed only ${instructions} instructions`);
    for (const [what, counts] of Object.entries({ interrupts, exceptions, traps }))
      ensure(Object.keys(counts).length > 0, `a vCPU had no ${what}`);
    ensure(sleeps > 0 && pageWalks > 1000, `a vCPU slept ${sleeps} times and walked ${pageWalks} times`);
  }
  ensure((serial[0]?.bytesOut ?? 0) > 100, "the serial port transmitted next to nothing");
  ensure((machine.mmioWrites["lapic"] ?? 0) > 0, "nobody wrote to a local APIC");
}

function checkTrace(path: string): void {
  const { traceEvents } = JSON.parse(readFileSync(path, "utf8")) as { traceEvents: readonly TraceEvent[] };
  const count = (ph: string, name: string) => traceEvents.filter((one) => one.ph === ph && one.name === name).length;
  for (const [ph, name] of [
    ["X", "guest"],
    ["X", "HLT"],
    ["X", "run"],
    ["X", "read"],
    ["i", "output"],
    ["i", "boot"],
    ["C", "instructions/s"],
  ] as const)
    ensure(count(ph, name) > 0, `the trace has no "${name}"`);
  ensure(
    traceEvents.some(({ name }) => name.startsWith("interrupt 0x")),
    "the trace has no interrupts",
  );
}

/** What no kernel gets around: how its first process comes to life, and what a program asks it for. */
const STACKS = [/^kernel;secondary_startup_64\w*;start_kernel;/m, /;do_syscall_64;[^;\n]+;/m, /^user;/m];

function checkProfile(stacks: string, graph: string): void {
  const text = readFileSync(stacks, "utf8");
  for (const pattern of STACKS) ensure(pattern.test(text), `no stack matches ${pattern}`);
  const deepest = Math.max(...text.split("\n").map((line) => line.split(";").length));
  ensure(deepest >= 10, `the deepest stack has ${deepest} frames`);
  ensure(/<title>do_syscall_64: .*<\/svg>\n$/s.test(readFileSync(graph, "utf8")), "the flame graph is not whole");
}

/** Counters, trace and profile of a boot; the kernel's symbols and stacks are found in its memory. */
export const insight: Check = {
  name: "busybox-insight",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const disk = join(context.scratch, "disk.img");
    const trace = join(context.scratch, "trace.json");
    const profile = join(context.scratch, "profile");
    writeFileSync(disk, "");
    truncateSync(disk, 1 << 20);
    const watch = ["--stats=json", "--trace", trace, "--profile", profile];
    const isola = new IsolaProcess(context, {
      name: "busybox-insight",
      args: ["run", "busybox", "--cpus", "2", "--disk", disk, ...watch],
    });
    try {
      await isola.expect(/Isola: busybox shell on/);
      await isola.expect(/# /);
      const shell = new GuestShell(isola);
      ensureEqual(await shell.must("head -c 512 /dev/vda | wc -c"), "512", "the bytes read from the disk");
      await shell.must("(seq 1 20000 | sha256sum) & seq 1 20000 | sha256sum; wait; sleep 1");
      isola.send("poweroff -f\n");
      const { status, errors } = await isola.result();
      ensureEqual(status, 0, "the exit status");
      checkStatistics(errors);
      checkTrace(trace);
      checkProfile(`${profile}.collapsed`, `${profile}.svg`);
    } finally {
      isola.kill();
    }
  },
};
