// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bzImage } from "../../packages/firmware/src/boot-file.fixture.js";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { isola, IsolaProcess, type IsolaResult } from "./isola-process.js";

const FAILURE = 1;
const USAGE = 2;

/** What is typed, the exit status that must follow, and what the one line of complaint must say. */
type Case = readonly [args: readonly string[], status: number, complaint: RegExp];

/** Files that a user might take for something bootable, and some that are. */
function writeFiles(folder: string): void {
  const kernel = bzImage().bytes;
  const files: Readonly<Record<string, Uint8Array | string>> = {
    empty: "",
    "notes.txt": "This is no kernel.\n",
    "half-kernel": kernel.subarray(0, kernel.length >> 1),
    "kernel.gz": Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0),
    kernel,
    "odd.img": new Uint8Array(1000),
    "cow.img": Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x03", "latin1"), Buffer.alloc(1016)]),
    "good.img": new Uint8Array(1 << 20),
  };
  for (const [name, body] of Object.entries(files)) writeFileSync(join(folder, name), body);
  mkdirSync(join(folder, "folder"));
}

const CASES: readonly Case[] = [
  [[], USAGE, /^usage: isola/],
  [["rum"], USAGE, /no verb "rum"; did you mean "run"\?/],
  [["run"], USAGE, /nothing to boot: name an image, such as debian:12, or give --kernel FILE/],
  [["run", "debian:12", "busybox"], USAGE, /"busybox" is left over/],
  [["run", "debain:12"], FAILURE, /no image "debain:12": choose one of .*debian:12/],
  [["run", "../../etc"], FAILURE, /no image "\.\.\/\.\.\/etc"/],
  [["pull"], USAGE, /pull takes one image, such as debian:12/],
  // Options.
  [["run", "--kernel", "kernel", "--cpu", "2"], USAGE, /unknown option --cpu; did you mean "--cpus"\?/],
  [["run", "--kernel", "kernel", "--memroy=1G"], USAGE, /unknown option --memroy; did you mean "--memory"\?/],
  [["run", "--kernel", "kernel", "-m", "1G"], USAGE, /unknown option -m/],
  [["run", "--kernel"], USAGE, /--kernel needs a value: --kernel FILE/],
  [["run", "--kernel", "kernel", "--no-reboot=1"], USAGE, /--no-reboot takes no value/],
  [["run", "--kernel", "kernel", "--kernel", "kernel"], USAGE, /--kernel was given twice/],
  [["run", "--kernel", "kernel", "--device", "debugcom"], USAGE, /no "debugcom"; did you mean "debugcon"\?/],
  [
    ["run", "--kernel", "kernel", "--disk", "good.img,temporray"],
    USAGE,
    /flag "temporray"; did you mean "temporary"\?/,
  ],
  [
    ["run", "--kernel", "kernel", "--clock", "vitrual"],
    USAGE,
    /--clock: there is no "vitrual"; did you mean "virtual"\?/,
  ],
  [["run", "--kernel", "kernel", "--mode", "long"], USAGE, /--mode needs --load-address/],
  [["run", "--kernel", "kernel", "--load-address", "here"], USAGE, /--load-address: "here" is not a whole number/],
  // Sizes and counts.
  [
    ["run", "--kernel", "kernel", "--memory", "0"],
    USAGE,
    /memory of 0 bytes is not possible: give whole MiB from 2 to/,
  ],
  [["run", "--kernel", "kernel", "--memory", "64G"], USAGE, /memory of 68719476736 bytes is not possible/],
  [["run", "--kernel", "kernel", "--memory", "1.3M"], USAGE, /--memory: "1\.3M" is not a whole number of bytes/],
  [["run", "--kernel", "kernel", "--memory", "-1M"], USAGE, /--memory: "-1M" is no size; write for example 512M or 2G/],
  [["run", "--kernel", "kernel", "--memory", "lots"], USAGE, /--memory: "lots" is no size/],
  [["run", "--kernel", "kernel", "--memory", "8M"], FAILURE, /kernel needs .*MiB/],
  [["run", "--kernel", "kernel", "--cpus", "0"], USAGE, /--cpus: "0" is not a whole number from 1 to/],
  [["run", "--kernel", "kernel", "--cpus", "two"], USAGE, /--cpus: "two" is not a whole number from 1 to/],
  [["run", "--kernel", "kernel", "--cpus", "200"], USAGE, /200/],
  // Files.
  [["run", "--kernel", "missing"], FAILURE, /cannot read missing: there is no such file/],
  [["run", "--kernel", "folder"], FAILURE, /cannot read folder: it is a directory/],
  [["run", "--kernel", "empty"], FAILURE, /empty is empty/],
  [["run", "--kernel", "notes.txt"], FAILURE, /notes\.txt is not a kernel that can be booted/],
  [["run", "--kernel", "kernel.gz"], FAILURE, /kernel\.gz is gzip-compressed; decompress it first/],
  [["run", "--kernel", "half-kernel"], FAILURE, /half-kernel is truncated/],
  [["run", "--kernel", "kernel", "--initrd", "missing"], FAILURE, /cannot read missing: there is no such file/],
  [["run", "--kernel", "kernel", "--initrd", "empty"], FAILURE, /empty is empty; give an initial RAM disk or none/],
  [["run", "--kernel", "kernel", "--disk", "missing"], FAILURE, /cannot open disk missing: there is no such file/],
  [["run", "--kernel", "kernel", "--disk", "empty"], FAILURE, /empty has 0 bytes/],
  [["run", "--kernel", "kernel", "--disk", "odd.img"], FAILURE, /odd\.img has 1000 bytes.*is it truncated\?/],
  [["run", "--kernel", "kernel", "--disk", "cow.img"], FAILURE, /cow\.img is damaged: clusters of 2\^0 bytes/],
  [["run", "--kernel", "kernel", "--disk", "folder"], FAILURE, /folder/],
  [["run", "--kernel", "kernel", "--disk", "good.img", "--disk", "missing"], FAILURE, /cannot open disk missing/],
];

function ensureComplaint(what: string, { status, signal, errors, output }: IsolaResult, expected: Case): void {
  const [, wanted, complaint] = expected;
  const said = wanted === USAGE && errors === "" ? output : errors;
  ensure(status === wanted, `${what}: status ${status}, signal ${signal}, and ${wanted} is right:\n${said}`);
  ensure(complaint.test(said.replace(/^isola: /, "")), `${what} should say ${complaint}, and says:\n${said}`);
  if (errors !== "") ensure(/^isola: [^\n]+\n$/.test(errors), `${what} should say one line, and says:\n${errors}`);
}

const wrongArguments: Check = {
  name: "bad-input",
  async run(context) {
    writeFiles(context.scratch);
    const before = readdirSync(context.scratch);
    for (const [i, item] of CASES.entries()) {
      const result = await isola(context, { name: `bad-input-${i}`, args: item[0] });
      ensureComplaint(`isola ${item[0].join(" ")}`, result, item);
    }
    ensureEqual(readdirSync(context.scratch), before, "the folder after all that");
    context.note(`${CASES.length} command lines`);
  },
};

const diskInUse: Check = {
  name: "disk-in-use",
  async run(context) {
    writeFiles(context.scratch);
    // sti; hlt; jmp back to hlt, after a letter on the serial port.
    const wait = Uint8Array.of(0xba, 0xf8, 0x03, 0xb0, 0x57, 0xee, 0xf4, 0xeb, 0xfd);
    writeFileSync(join(context.scratch, "wait.bin"), wait);
    const args = ["run", "--kernel", "wait.bin", "--load-address", "0x7c00", "--disk", "good.img"];
    const holder = new IsolaProcess(context, { name: "disk-in-use-holder", args });
    try {
      await holder.expect(/W/);
      await ensureRefused(context, args, holder.pid);
      holder.kill("SIGTERM");
      await holder.result();
      ensure(!readdirSync(context.scratch).includes("good.img.lock"), "the lock is still there");
    } finally {
      holder.kill();
    }
  },
};

async function ensureRefused(context: CheckContext, args: readonly string[], holder: number): Promise<void> {
  const result = await isola(context, { name: "disk-in-use-second", args });
  const complaint = new RegExp(`good\\.img is in use by process ${holder} on `);
  ensureComplaint("a second machine with the same disk", result, [args, FAILURE, complaint]);
}

export const badInput: readonly Check[] = [wrongArguments, diskInUse];
