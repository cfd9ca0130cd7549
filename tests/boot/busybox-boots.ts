// SPDX-License-Identifier: Apache-2.0
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Check, CheckContext } from "./check.js";
import { ensure, ensureEqual } from "./check.js";
import { ensureEnds, ensureMemory, GuestShell } from "./guest-shell.js";
import { IsolaProcess } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";
import { smallDisk } from "./small-disk.js";

const MEMORY_MIB = 256;
/** `seq 1 20000 | sha256sum`. */
const SEQUENCE_SHA256 = "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a";

/** What the kernel says when one of its algorithms fails its self-test (crypto/testmgr.c). */
const SELF_TEST_FAILURE = /alg: .*(fail|err=|overran|mismatch)/i;

interface BusyboxBoot {
  readonly image: string;
  /** `uname -m`. */
  readonly machine: string;
  readonly cpus: number;
  /** Lets the kernel test its cryptography, which the image's own command line tells it not to do. */
  readonly selfTests?: boolean;
  /** What ends the machine. */
  readonly end: string;
  readonly args?: readonly string[];
}

/** Options that boot the image, or its files with the kernel's self-tests. */
async function bootOptions(context: CheckContext, { image, selfTests }: BusyboxBoot): Promise<string[]> {
  const files = await pullOrSkip(context, image);
  const { kernel, initrd, append } = Object.fromEntries(files);
  if (selfTests !== true) return [image];
  return ["--kernel", kernel, "--initrd", initrd, "--append", append.replace(" cryptomgr.notests", "")];
}

/** One busy process a processor, so that every one of them runs user code. */
async function ensureWork(shell: GuestShell, cpus: number): Promise<void> {
  const jobs = Array.from({ length: cpus }, () => "(seq 1 20000 | sha256sum) &").join(" ");
  const sums = (await shell.must(`${jobs} wait`)).split("\n").filter((line) => line.endsWith("  -"));
  ensureEqual(
    sums,
    Array.from({ length: cpus }, () => `${SEQUENCE_SHA256}  -`),
    "the hashes",
  );
}

async function ensureSelfTests(shell: GuestShell): Promise<void> {
  const log = await shell.must("dmesg");
  const failed = log.split("\n").filter((line) => SELF_TEST_FAILURE.test(line));
  ensureEqual(failed, [], "what the kernel's self-tests complain about");
  ensureEqual(await shell.must("grep selftest /proc/crypto | sort -u"), "selftest     : passed", "/proc/crypto");
}

async function boot(context: CheckContext, name: string, options: BusyboxBoot): Promise<void> {
  const { machine, cpus, selfTests, end, args = [] } = options;
  const size = ["--cpus", String(cpus), "--memory", `${MEMORY_MIB}M`];
  const source = await bootOptions(context, options);
  const isola = new IsolaProcess(context, { name, args: ["run", ...source, ...size, ...args] });
  try {
    const shell = await busyboxShell(isola);
    ensureEqual(await shell.must("uname -m"), machine, "uname -m");
    ensureEqual(await shell.must("echo $((1234567 * 891))"), "1099999197", "shell arithmetic");
    await shell.ensureCpus(cpus);
    await ensureWork(shell, cpus);
    if (selfTests === true) await ensureSelfTests(shell);
    ensureMemory(context, isola, MEMORY_MIB << 20);
    await ensureEnds(context, isola, end);
  } finally {
    isola.kill();
  }
}

async function busyboxShell(isola: IsolaProcess): Promise<GuestShell> {
  await isola.expect(/Isola: busybox shell on/);
  await isola.expect(/# /);
  return new GuestShell(isola);
}

function check(name: string, options: BusyboxBoot): Check {
  return { name, run: (context) => boot(context, name, options) };
}

/** A reset by the guest starts it again, and without --no-reboot as often as it likes. */
const reboot: Check = {
  name: "busybox-reboot",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const isola = new IsolaProcess(context, { name: "busybox-reboot", args: ["run", "busybox", "--cpus", "2"] });
    try {
      const first = await busyboxShell(isola);
      const boot = await first.must("cat /proc/sys/kernel/random/boot_id");
      isola.send("reboot -f\n");
      const second = await busyboxShell(isola);
      ensure(boot !== (await second.must("cat /proc/sys/kernel/random/boot_id")), "the machine did not start again");
      await second.ensureCpus(2);
      await ensureEnds(context, isola, "poweroff -f");
    } finally {
      isola.kill();
    }
  },
};

/** On a virtual clock two boots are equal to the last byte, and to the last digit of the kernel's time stamps. */
const repeats: Check = {
  name: "busybox-virtual-clock",
  async run(context) {
    const { kernel, initrd } = Object.fromEntries(await pullOrSkip(context, "busybox"));
    const machine = ["--cpus", "2", "--clock", "virtual", "--append", "console=ttyS0 cryptomgr.notests"];
    const args = ["run", "--kernel", kernel, "--initrd", initrd, ...machine];
    const boots = ["first", "second"].map(async (name) => {
      const isola = new IsolaProcess(context, { name: `busybox-virtual-clock-${name}`, args });
      try {
        return (await isola.expect(/^[^]*Isola: busybox shell on[^]*# /))[0].split("\n");
      } finally {
        isola.kill();
      }
    });
    const [first, second] = await Promise.all(boots);
    ensure(first.length > 100, `the kernel said only ${first.length} lines`);
    const other = first.findIndex((line, i) => line !== second[i]);
    ensure(other < 0, `the boots part at "${first[other]}" and "${second[other]}"`);
  },
};

/** The disk of the host that holds a guest's disk fills up: the guest gets I/O errors, the operator one line. */
const hostDiskFull: Check = {
  name: "busybox-host-disk-full",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const folder = join(context.scratch, "full");
    const unmount = smallDisk(folder, 4 << 20);
    const disk = join(folder, "disk.img");
    writeFileSync(disk, "");
    truncateSync(disk, 16 << 20);
    const args = ["run", "busybox", "--disk", disk, "--disk", `${disk},temporary`];
    const isola = new IsolaProcess(context, { name: "busybox-host-disk-full", args, env: { TMPDIR: folder } });
    try {
      const shell = await busyboxShell(isola);
      for (const device of ["vda", "vdb"]) {
        const { output } = await shell.run(`dd if=/dev/zero of=/dev/${device} bs=64k conv=fsync; dmesg | tail -n 3`);
        ensure(/I\/O error/.test(output), `writing more than the host holds gave no error:\n${output}`);
      }
      isola.send("poweroff -f\n");
      const { status, errors } = await isola.result();
      ensureEqual(status, 0, "the exit status");
      const said = errors.split(/\r?\n/).filter((line) => line.startsWith("isola: warning:"));
      ensureEqual(said.length, 2, `the number of warnings (${errors})`);
      ensure(said[0].includes(`cannot write ${disk}: the disk is full; the guest sees an I/O error`), said[0]);
      ensure(said[1].includes(`cannot write temporary changes to ${folder}: the disk is full`), said[1]);
    } finally {
      isola.kill();
      unmount();
    }
  },
};

const AMD64 = { image: "busybox", machine: "x86_64" };
const I386 = { image: "busybox:i386", machine: "i686" };

export const busyboxBoots: readonly Check[] = [
  check("busybox-amd64-1", { ...AMD64, cpus: 1, selfTests: true, end: "poweroff -f" }),
  check("busybox-amd64-4", { ...AMD64, cpus: 4, end: "poweroff -f" }),
  check("busybox-i386-1", { ...I386, cpus: 1, selfTests: true, end: "poweroff -f" }),
  check("busybox-i386-4", { ...I386, cpus: 4, end: "poweroff -f" }),
  check("busybox-no-reboot", { ...AMD64, cpus: 1, end: "reboot -f", args: ["--no-reboot"] }),
  reboot,
  repeats,
  hostDiskFull,
];
