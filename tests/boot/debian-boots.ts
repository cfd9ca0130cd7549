// SPDX-License-Identifier: Apache-2.0
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { ensureEnds, ensureMemory, GuestShell } from "./guest-shell.js";
import { IsolaProcess } from "./isola-process.js";
import { opensslCase, recordedOutput, writePayload } from "./payload.js";
import { pullOrSkip } from "./pull.js";

const MEMORY_MIB = 512;
/** What a kernel or its programs say when the processor under them is wrong. */
const TROUBLE =
  /segfault|general protection|invalid opcode|double fault|\bOops\b|\bBUG:|WARNING:|divide error|trap .* ip:/;

interface Session {
  readonly isola: IsolaProcess;
  readonly shell: GuestShell;
}

/** Boots an image to the root shell that it gives whoever runs it. The caller kills the process. */
async function login(context: CheckContext, name: string, image: string, args: readonly string[]): Promise<Session> {
  await pullOrSkip(context, image);
  const isola = new IsolaProcess(context, { name, args: ["run", image, "--memory", `${MEMORY_MIB}M`, ...args] });
  try {
    await isola.expect(/isola login: root \(automatic login\)/);
    await isola.expect(/root@isola:~# /);
    return { isola, shell: new GuestShell(isola) };
  } catch (error) {
    isola.kill();
    throw error;
  }
}

async function ensureHealthy(shell: GuestShell): Promise<void> {
  ensureEqual(await shell.must("systemctl is-system-running --wait"), "running", "the state of systemd");
  const log = await shell.must("dmesg --notime");
  const trouble = log.split("\n").filter((line) => TROUBLE.test(line));
  ensure(trouble.length === 0, `the kernel complains:\n${trouble.join("\n")}`);
  ensureEqual(await shell.must("dpkg --audit"), "", "what dpkg finds wrong");
}

/** The C library searches for programs of x86-64-v3, so it has found AVX2 and all that belongs to it, and uses them. */
async function ensureLevel(shell: GuestShell): Promise<void> {
  const help = await shell.must("/lib64/ld-linux-x86-64.so.2 --help");
  ensure(help.includes("x86-64-v3 (supported, searched)"), `the C library does not see x86-64-v3:\n${help}`);
}

interface DebianBoot {
  readonly cpus: number;
  readonly end: string;
  readonly args?: readonly string[];
}

function loginCheck(name: string, { cpus, end, args = [] }: DebianBoot): Check {
  return {
    name,
    async run(context) {
      const { isola, shell } = await login(context, name, "debian:12", ["--cpus", String(cpus), ...args]);
      try {
        await shell.ensureCpus(cpus);
        await ensureHealthy(shell);
        await ensureLevel(shell);
        ensureEqual(await shell.must("id -un; stat -f -c %T /"), "root\next2/ext3", "user and root file system");
        ensureMemory(context, isola, MEMORY_MIB << 20);
        await ensureEnds(context, isola, end);
      } finally {
        isola.kill();
      }
    },
  };
}

/** Checks that a command in the guest prints exactly `expected`. */
async function ensurePrints(shell: GuestShell, command: string, expected: string): Promise<void> {
  const actual = (await shell.must(command)).split("\n");
  const wanted = expected.split("\n");
  const wrong = wanted.findIndex((line, i) => actual[i] !== line);
  ensure(wrong < 0, `"${command}" prints "${actual[wrong]}" and should print "${wanted[wrong]}"`);
  ensureEqual(actual.length, wanted.length, `the number of lines of "${command}"`);
}

async function ensurePackages(shell: GuestShell): Promise<void> {
  await shell.must("dpkg -i isola-hello.deb");
  await ensurePrints(shell, "isola-hello; cat /var/lib/isola-hello", "hello from x86_64\nconfigure");
  await ensurePrints(shell, "dpkg-query -W -f '${db:Status-Status} ${Version}\\n' isola-hello", "installed 1.2-3");
  await shell.must(
    "dpkg-deb -R isola-hello.deb unpacked && dpkg-deb -Zxz --build unpacked again.deb && dpkg -i again.deb",
  );
  await ensurePrints(
    shell,
    "dpkg -V isola-hello; dpkg --audit; dpkg -P isola-hello > /dev/null; ls /usr/bin/isola-hello 2>&1 | wc -l",
    "1",
  );
}

const session: Check = {
  name: "debian-session",
  async run(context) {
    const crypto = opensslCase();
    const payload = writePayload(context.root, context.scratch, crypto.files);
    const options = ["--cpus", "2", "--disk", `${payload},readonly`];
    const { isola, shell } = await login(context, "debian-session", "debian:12-dev", options);
    try {
      await shell.must("mkdir /root/checks && cd /root/checks && tar -xf /dev/vdb");
      const recorded = (name: string) => recordedOutput(context.root, name);
      await ensurePrints(shell, "python3 checks.py", recorded("checks.py"));
      await ensurePrints(shell, "perl checks.pl", recorded("checks.pl"));
      await shell.must("gcc -O2 -pthread -o checks checks.c -lm");
      await ensurePrints(shell, "./checks", recorded("checks.c"));
      await ensurePrints(shell, "sh openssl.sh", crypto.output);
      await ensurePrints(shell, "sh git.sh > log 2>&1; cat log", recorded("git.sh"));
      await ensurePrints(
        shell,
        "sqlite3 :memory: 'select sum(value * value), avg(value / 7.0) from generate_series(1, 20000)'",
        "2666866670000|1428.64285714286",
      );
      await ensurePrints(
        shell,
        "xz -k data && gzip -k data && xz -dc data.xz | cmp - data && gzip -dc data.gz | cmp - data && xz -t data.xz && echo equal",
        "equal",
      );
      await ensurePackages(shell);
      await ensureHealthy(shell);
      ensureMemory(context, isola, MEMORY_MIB << 20);
      await ensureEnds(context, isola, "poweroff");
    } finally {
      isola.kill();
    }
  },
};

export const debianBoots: readonly Check[] = [
  session,
  loginCheck("debian-4", { cpus: 4, end: "reboot", args: ["--no-reboot"] }),
  loginCheck("debian-1", { cpus: 1, end: "poweroff" }),
];
