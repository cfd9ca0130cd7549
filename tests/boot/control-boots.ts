// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Check, CheckContext } from "./check.js";
import { ensure, ensureEqual } from "./check.js";
import { isola, IsolaProcess, type IsolaResult } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";

const BYTES = 1_500_000;

/** The command line with its sockets and logs in the check's own folder, so that no other machine is in the way. */
class Commands {
  private readonly env: Readonly<Record<string, string>>;
  private count = 0;

  constructor(
    private readonly context: CheckContext,
    private readonly name: string,
  ) {
    const runtime = join(context.scratch, "run");
    mkdirSync(runtime, { mode: 0o700 });
    this.env = { XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: join(context.scratch, "state") };
  }

  /** Runs a verb to its end, without input. */
  run(...args: readonly string[]): Promise<IsolaResult> {
    return isola(this.context, this.options(args));
  }

  /** As {@link run}, for one that must end with status 0; returns its output. */
  async must(...args: readonly string[]): Promise<string> {
    const { status, output, errors } = await this.run(...args);
    ensure(status === 0, `isola ${args.join(" ")} ended with status ${status}: ${errors}`);
    return output;
  }

  start(...args: readonly string[]): IsolaProcess {
    return new IsolaProcess(this.context, this.options(args));
  }

  private options(args: readonly string[]) {
    return { name: `${this.name}-${String(this.count++).padStart(2, "0")}-${args[0]}`, args, env: this.env };
  }
}

async function ensureStreams(commands: Commands): Promise<void> {
  const script = 'echo "to $1"; echo errors >&2; echo again > /dev/stderr; exit 7';
  const { status, output, errors } = await commands.run("exec", "box", "--", "sh", "-c", script, "sh", "x  y");
  ensureEqual({ status, output, errors }, { status: 7, output: "to x  y\n", errors: "errors\nagain\n" }, "a command");
  ensureEqual((await commands.run("exec", "box", "--", "sh", "-c", "kill -9 $$")).status, 137, "a killed command");
  const missing = await commands.run("exec", "box", "--", "no-such-program");
  ensure(missing.status === 127 && /not found/.test(missing.errors), `a missing program: ${missing.errors}`);
  const environment = ["-e", "A=b c", "-w", "/tmp", "-u", "1000:5"];
  const as = await commands.must("exec", "box", ...environment, "--", "sh", "-c", 'echo "$A $PWD $(id -u):$(id -g)"');
  ensureEqual(as, "b c /tmp 1000:5\n", "environment, directory and user");
}

async function ensureInput(commands: Commands): Promise<void> {
  const echo = commands.start("exec", "-i", "box", "--", "cat");
  echo.send("there and back\n");
  await echo.expect(/there and back/);
  echo.endInput();
  ensureEqual((await echo.result()).status, 0, "the status of cat");
  const sleep = commands.start("exec", "box", "--", "sh", "-c", "echo ready; sleep 1000");
  await sleep.expect(/ready/);
  sleep.kill("SIGINT");
  ensureEqual((await sleep.result()).status, 130, "the status of an interrupted command");
}

async function ensureCopies(context: CheckContext, commands: Commands): Promise<void> {
  const source = join(context.scratch, "tree");
  mkdirSync(join(source, "below"), { recursive: true });
  const data = randomBytes(BYTES);
  writeFileSync(join(source, "below", "data"), data);
  writeFileSync(join(source, "script"), "#!/bin/sh\n");
  chmodSync(join(source, "script"), 0o751);
  utimesSync(join(source, "script"), 1_577_923_200, 1_577_923_200);
  symlinkSync("script", join(source, "link"));
  symlinkSync("/nowhere/else", join(source, "far"));
  await commands.must("cp", source, "box:/root");
  const sum = await commands.must("exec", "box", "--", "sha256sum", "/root/tree/below/data");
  ensureEqual(sum.split(" ")[0], createHash("sha256").update(data).digest("hex"), "the hash in the guest");
  await commands.must("cp", "box:/root/tree", join(context.scratch, "back"));
  const back = join(context.scratch, "back");
  ensure(readFileSync(join(back, "below", "data")).equals(data), "what came back differs");
  ensureEqual(readlinkSync(join(back, "far")), "/nowhere/else", "where a link leads");
  await commands.must("cp", "box:/root/tree/link", join(context.scratch, "followed"));
  ensureEqual(
    readFileSync(join(context.scratch, "followed"), "utf8"),
    "#!/bin/sh\n",
    "what a link that is named leads to",
  );
  ensureEqual(statSync(join(back, "link")).mode & 0o777, 0o751, "the permissions");
  ensureEqual(statSync(join(back, "script")).mtimeMs, 1_577_923_200_000, "the time");
  const missing = await commands.run("cp", "box:/no/such", join(context.scratch, "none"));
  ensure(missing.status === 1 && missing.errors.startsWith("isola: cannot copy box:/no/such: "), missing.errors);
  ensureEqual(existsSync(join(context.scratch, "none")), false, "a file that was not copied");
  const left = [
    ...readdirSync(context.scratch),
    ...(await commands.must("exec", "box", "--", "ls", "-a", "/root")).split("\n"),
  ];
  ensureEqual(
    left.filter((name) => name.startsWith(".isola-cp")),
    [],
    "what copies have left behind",
  );
}

/** A copy that is cut off in the middle leaves nothing under the name that it was to have. */
async function ensureInterrupted(context: CheckContext, commands: Commands): Promise<void> {
  await commands.must("exec", "box", "--", "sh", "-c", "mkdir /tmp/big; head -c 30000000 /dev/zero > /tmp/big/file");
  const copy = commands.start("cp", "box:/tmp/big", join(context.scratch, "big"));
  const begun = () => readdirSync(context.scratch).some((name) => name.startsWith(".isola-cp"));
  while (!begun()) await new Promise((resolve) => setTimeout(resolve, 5));
  copy.kill("SIGTERM");
  ensureEqual((await copy.result()).status, 143, "the status of an interrupted copy");
  ensureEqual(existsSync(join(context.scratch, "big")), false, "the name of an interrupted copy");
  ensureEqual(begun(), false, "what it has left behind");
}

/** A folder of the host: what each side does is seen by the other, and nothing leads out of it. */
async function ensureShares(context: CheckContext, commands: Commands): Promise<void> {
  const shared = join(context.scratch, "shared");
  const inGuest = (script: string) => commands.run("exec", "box", "--", "sh", "-c", script);
  writeFileSync(join(context.scratch, "outside"), "outside");
  symlinkSync("../outside", join(shared, "link"));
  const made = await inGuest(
    "cd /mnt/work && cat here && mkdir -p d/e && echo theirs > d/e/f && mv d/e/f d/g && chmod 600 d/g",
  );
  ensureEqual({ status: made.status, output: made.output }, { status: 0, output: "ours" }, "work in a shared folder");
  ensureEqual(readFileSync(join(shared, "d", "g"), "utf8"), "theirs\n", "a file from the guest");
  ensureEqual(statSync(join(shared, "d", "g")).mode & 0o777, 0o600, "its permissions");
  const out = await inGuest("cat /mnt/work/link || echo x > /mnt/work/../work/link");
  ensureEqual(out.output, "", "what a link out of the folder led to");
  ensureEqual(readFileSync(join(context.scratch, "outside"), "utf8"), "outside", "a file outside of the folder");
  const readOnly = await inGuest("cat /mnt/data/here; mount -o remount,rw /mnt/data; echo x > /mnt/data/new");
  ensure(/Read-only file system/.test(readOnly.errors), `writing to a read-only folder: ${readOnly.errors}`);
  ensureEqual(readOnly.output, "ours", "a file in a read-only folder");
  ensureEqual(readdirSync(shared).includes("new"), false, "a file in a read-only folder that was made");
  const sum = await inGuest("cd /mnt/work; head -c 5000000 /dev/urandom > big; sha256sum big");
  const hash = createHash("sha256")
    .update(readFileSync(join(shared, "big")))
    .digest("hex");
  ensureEqual(sum.output.split(" ")[0], hash, "the hash of a big file");
}

const control: Check = {
  name: "control-busybox",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const commands = new Commands(context, "control-busybox");
    mkdirSync(join(context.scratch, "shared"));
    writeFileSync(join(context.scratch, "shared", "here"), "ours");
    const shares = ["--share", "shared:work", "--share", "shared:data,ro"];
    const name = await commands.must("run", "busybox", "--name", "box", "--memory", "256M", "--detach", ...shares);
    ensureEqual(name, "box\n", "the name");
    try {
      const again = await commands.run("run", "busybox", "--name", "box");
      ensure(again.status === 1 && /a machine named box is running/.test(again.errors), again.errors);
      const near = await commands.run("pause", "bo");
      ensure(near.status === 1 && /did you mean "box"\?/.test(near.errors), near.errors);
      await ensureStreams(commands);
      await ensureInput(commands);
      await ensureCopies(context, commands);
      await ensureInterrupted(context, commands);
      await ensureShares(context, commands);
      await commands.must("pause", "box");
      ensure(/^box +paused +microvm +256M/m.test(await commands.must("ls")), "ls does not show the paused machine");
      ensureEqual((await commands.run("exec", "box", "--", "true")).status, 125, "exec in a paused machine");
      await commands.must("resume", "box");
      const console = commands.start("console", "box");
      console.send("echo $((1234567 * 891))\n");
      await console.expect(/1099999197/);
      console.kill("SIGTERM");
      await console.result();
    } finally {
      await commands.must("stop", "box", "--force");
    }
    ensureEqual(await commands.must("ls", "--format", "json"), "[]\n", "the machines at the end");
  },
};

export const controlBoots: readonly Check[] = [control];
