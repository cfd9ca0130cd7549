// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const BUNDLE = join(dirname(fileURLToPath(import.meta.url)), "../../build/isola.mjs");

/** Real mode: writes "ready" to the first serial port, then echoes what it receives, plus one; "q" (as "p") is last. */
const ECHO_GUEST = Uint8Array.from([
  0xbe,
  0x22,
  0x7c, //       mov si, text
  0xba,
  0xf8,
  0x03, //       mov dx, 0x3f8
  0xac, //             next: lodsb
  0x84,
  0xc0, //             test al, al
  0x74,
  0x03, //             jz echo
  0xee, //                   out dx, al
  0xeb,
  0xf8, //             jmp next
  0xba,
  0xfd,
  0x03, // echo: mov dx, 0x3fd
  0xec, //             wait: in al, dx
  0xa8,
  0x01, //             test al, 1
  0x74,
  0xfb, //             jz wait
  0xba,
  0xf8,
  0x03, //       mov dx, 0x3f8
  0xec, //                   in al, dx
  0x40, //                   inc ax
  0xee, //                   out dx, al
  0xeb,
  0xf0, //             jmp echo
  0x90,
  0x90,
  0x90,
  0x90,
  ...[...new TextEncoder().encode("ready\n"), 0],
]);

/** Why there is no test on a terminal here, or null. */
function obstacle(): string | null {
  if (!existsSync(BUNDLE)) return "build/isola.mjs does not exist";
  if (spawnSync("script", ["--version"]).status !== 0) return "there is no script(1) to make a terminal";
  return null;
}

const missing = obstacle();
if (missing !== null) process.stderr.write(`SKIPPED terminal tests: ${missing}\n`);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-tty-"));
  writeFileSync(join(folder, "echo.bin"), ECHO_GUEST);
});
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A machine on a terminal of its own; the terminal's settings are noted before and after. */
function onTerminal() {
  const machine = `"${process.execPath}" "${BUNDLE}" run --kernel echo.bin --load-address 0x7c00 --memory 2M`;
  const inner = join(folder, "inner.sh");
  writeFileSync(inner, `echo $$ > pid\nexec ${machine}\n`);
  const outer = join(folder, "outer.sh");
  writeFileSync(outer, "stty -a > before\nsh inner.sh\necho $? > status\nstty -a > after\n");
  const child: ChildProcess = spawn("script", ["-qfc", "sh outer.sh", "/dev/null"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  started.push(child);
  let text = "";
  let changed = () => {};
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    changed();
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const read = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  return {
    async expect(pattern: string) {
      while (!text.includes(pattern)) await new Promise<void>((resolve) => (changed = resolve));
    },
    type: (keys: string) => void child.stdin?.write(keys),
    signal: (name: NodeJS.Signals) => process.kill(Number(read("pid")), name),
    async end() {
      await ended;
      return { status: Number(read("status")), restored: read("after") === read("before") };
    },
  };
}

describe.skipIf(missing !== null)("a machine on a terminal", () => {
  it("gets every key, Ctrl-C included, and Ctrl-] leaves it at once", async () => {
    const terminal = onTerminal();
    await terminal.expect("ready");
    terminal.type("abc");
    await terminal.expect("bcd");
    // Ctrl-C is 3; the guest answers 4.
    terminal.type("\x03");
    await terminal.expect("\x04");
    terminal.type("\x1d");
    expect(await terminal.end()).toEqual({ status: 0, restored: true });
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)("puts the terminal back on %s", async (signal, status) => {
    const terminal = onTerminal();
    await terminal.expect("ready");
    terminal.signal(signal);
    expect(await terminal.end()).toEqual({ status, restored: true });
  });
});

const isola = (...args: string[]) => {
  const result = spawnSync(process.execPath, [BUNDLE, ...args], { cwd: folder, encoding: "utf8", input: "" });
  return { status: result.status, out: result.stdout, err: result.stderr.trim() };
};

describe.skipIf(!existsSync(BUNDLE))("verbs that look at the processor", () => {
  it("disasm reads bytes and files", () => {
    expect(isola("disasm", "48 01 d8", "ebfb").out).toBe(
      `       0:  ${"48 01 d8".padEnd(32)} add rax,rbx\n       3:  ${"eb fb".padEnd(32)} jmp 0x0\n`,
    );
    const listing = isola("disasm", "echo.bin", "--bits", "16", "--address", "0x7c00");
    expect(listing.out).toMatch(/^ {4}7c00: {2}be 22 7c +mov si,0x7c22\n/);
  });

  it("cpuid names vendor and level", () => {
    const { status, out } = isola("cpuid");
    expect(status).toBe(0);
    expect(out).toMatch(/^vendor {2}\w+\nbrand {3}Isola[^\n]*\nlevel {3}x86-64-v\d/);
  });
});

describe.skipIf(!existsSync(BUNDLE))("mistakes at the command line", () => {
  it.each([
    [["run", "--kernel", "missing"], 1, "isola: cannot read missing: there is no such file"],
    [["run", "--kernel", "."], 1, "isola: cannot read .: it is a directory"],
    [["run", "--kernel", "echo.bin"], 1, /^isola: echo\.bin is not a kernel that can be booted/],
    [["run", "--kernel", "echo.bin", "--memroy", "1G"], 2, 'isola: unknown option --memroy; did you mean "--memory"?'],
    [["run", "--kernel", "echo.bin", "--memory", "big"], 2, /^isola: --memory: "big" is no size/],
    [["run", "--kernel", "echo.bin", "--device", "pc-testdv"], 2, /did you mean "pc-testdev"/],
    [
      ["run", "--kernel", "echo.bin", "--disk", "none.raw"],
      1,
      "isola: cannot open disk none.raw: there is no such file",
    ],
    [["run"], 2, /^isola: nothing to boot/],
    [["disasm", "48zz"], 2, /^isola: disasm takes a file or bytes in hexadecimal/],
    [["disasm", "90", "--bits", "8"], 2, 'isola: --bits: "8" is not 16, 32 or 64'],
    [["rum"], 2, 'isola: there is no verb "rum"; did you mean "run"?'],
  ] as const)("isola %j: status %d and one line", (args, status, message) => {
    const result = isola(...args);
    expect(result.status).toBe(status);
    expect(result.err).not.toContain("\n");
    if (typeof message === "string") expect(result.err).toBe(message);
    else expect(result.err).toMatch(message);
  });
});
