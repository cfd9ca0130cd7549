// SPDX-License-Identifier: Apache-2.0
// Boots real operating systems with the command line that users have. Needs the network (or a warm image cache);
// exit status 77 means that nothing could be tested and says why.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../tools/build.mjs";
import { Console } from "./console.mjs";

const SKIPPED = 77;
const PROMPT = "/root # ";
/** Generous: machines that run tests are slow and shared. */
const BOOT_SECONDS = Number(process.env.ISOLA_BOOT_SECONDS ?? 300);

const say = (text) => process.stdout.write(`${text}\n`);

/** Pulls an image; returns false, and says why, if that is not possible here. */
function pull(reference) {
  const result = spawnSync(process.execPath, [join(root, "build/isola.mjs"), "pull", reference], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (result.status === 0) return true;
  say(`cannot pull ${reference}: ${result.stderr.trim().split("\n").at(-1)}`);
  return false;
}

function equal(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
}

const BOOTS = [
  {
    name: "64-bit kernel: shell, clock, interrupts, power-off",
    image: "busybox",
    async run(machine) {
      await machine.expect(PROMPT, BOOT_SECONDS);
      machine.type("uname -m; grep -c processor /proc/cpuinfo; sleep 1; echo slept $?\n");
      await machine.expect("x86_64\r\n1\r\nslept 0", 60);
      machine.type("poweroff -f\n");
      equal(await machine.end(60), 0, "exit status after power-off");
    },
  },
  {
    name: "two vCPUs; a reset starts the machine again",
    image: "busybox",
    args: ["--cpus", "2"],
    async run(machine) {
      await machine.expect(PROMPT, BOOT_SECONDS);
      machine.type("grep -c processor /proc/cpuinfo\n");
      await machine.expect("\r\n2\r\n", 60);
      machine.type("taskset 2 sh -c 'echo on cpu 1'; reboot -f\n");
      await machine.expect("\r\non cpu 1", 60);
      await machine.expect(PROMPT, BOOT_SECONDS);
      machine.type("poweroff -f\n");
      equal(await machine.end(60), 0, "exit status after power-off");
    },
  },
  {
    name: "--no-reboot ends the machine at a reset",
    image: "busybox",
    args: ["--no-reboot", "--append", "rdinit=/nonexistent"],
    async run(machine) {
      // No init: the kernel panics, and panic=-1 on the image's command line makes it reset at once.
      equal(await machine.end(BOOT_SECONDS), 0, "exit status after a reset");
    },
  },
  {
    name: "32-bit kernel: shell, power-off",
    image: "busybox:i386",
    async run(machine) {
      await machine.expect(PROMPT, BOOT_SECONDS);
      machine.type("uname -m; poweroff -f\n");
      await machine.expect("\r\ni686\r\n", 60);
      equal(await machine.end(60), 0, "exit status after power-off");
    },
  },
  {
    name: "virtual clock: two runs print the same, times included",
    image: "busybox",
    args: ["--clock", "virtual", "--no-reboot", "--append", "nokaslr loglevel=7 rdinit=/nonexistent"],
    async run(machine, again) {
      equal(await machine.end(BOOT_SECONDS), 0, "exit status");
      const second = again();
      equal(await second.end(BOOT_SECONDS), 0, "exit status of the second run");
      const lines = (text) => text.split("\n").filter((line) => /^\[ *\d+\.\d+\]/.test(line));
      equal(lines(machine.text).length > 100, true, "there are kernel messages");
      const [first, other] = [lines(machine.text), lines(second.text)];
      const at = first.findIndex((line, i) => line !== other[i]);
      if (at >= 0) equal(other[at], first[at], `kernel message ${at} of the second run`);
    },
  },
  {
    name: "SIGTERM ends the machine",
    image: "busybox",
    async run(machine) {
      await machine.expect("Isola", BOOT_SECONDS);
      machine.signal("SIGTERM");
      equal(await machine.end(20), 143, "exit status");
    },
  },
];

let passed = 0;
let failed = 0;
const pulled = new Map();
for (const { name, image, args = [], run } of BOOTS) {
  if (!pulled.has(image)) pulled.set(image, pull(image));
  if (!pulled.get(image)) {
    say(`SKIPPED boot: ${name}`);
    continue;
  }
  const machines = [];
  const start = () => {
    const machine = new Console([image, ...args]);
    machines.push(machine);
    return machine;
  };
  const began = performance.now();
  try {
    await run(start(), start);
    passed++;
    say(`ok boot: ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    say(`FAILED boot: ${name}\n${error instanceof Error ? error.message : String(error)}`);
  } finally {
    for (const machine of machines) machine.kill();
  }
}
process.exitCode = failed > 0 ? 1 : passed > 0 ? 0 : SKIPPED;
