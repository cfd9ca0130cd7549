// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { assemble, assemblerObstacle } from "../guests/assemble.js";
import { debug, type Debuggee, isInstalled, isola, qemu } from "./gdb-run.js";

const REGISTERS = "info registers rax rbx rcx rdx rsi rdi rbp rsp r8 r15 rip eflags cs ss ds es fs gs\n";
const TIMEOUT_MS = 120_000;

/** GDB scripts; whoever runs the guest, they must print the same. */
const SCRIPTS: { readonly [title: string]: string } = {
  "software breakpoints, registers and memory": `
    break work
    continue
    ${REGISTERS}
    continue
    print *(long *)&counter
    ignore 1 3
    continue
    print *(long *)&counter
    x/4gx &counter
    x/6i $pc
    break work_end
    continue
    print $xmm1.v2_double`,
  "hardware breakpoints and steps": `
    hbreak work
    continue
    delete
    display/i $pc
    stepi
    stepi
    stepi 5
    ${REGISTERS}
    finish
    ${REGISTERS}`,
  "watchpoints of all kinds": `
    hbreak main64
    continue
    delete
    watch *(long *)&counter
    continue
    continue
    delete
    rwatch *(long *)&total
    continue
    x/i $pc
    delete
    awatch *(long *)&total
    continue
    x/i $pc
    delete
    watch *(char *)((long)&target + 5)
    continue
    print $rcx
    x/s &target`,
  "what it changes": `
    hbreak work
    continue
    delete
    set $rbx = 7
    set $xmm2.v2_int64[1] = 0x123456789abcdef
    set *(long *)&counter = 1000
    set $eflags = 0x8d7
    ${REGISTERS}
    print/x $xmm2.v2_int64
    print/x $eflags
    hbreak work_end
    continue
    print *(long *)&counter
    print *(long *)&total
    print *(long *)&counter = 1
    jump work`,
  "code that is mapped twice": `
    hbreak *0x40001010
    continue
    x/2i $pc
    print/x $rax
    delete
    break mapped_twice
    stepi
    info breakpoints`,
};

/** What must be in the output on any machine, so that two machines that both refuse do not agree on that. */
const EXPECTED: { readonly [title: string]: readonly string[] } = {
  "software breakpoints, registers and memory": ["Breakpoint 1, 0x", "$2 = 5", "$3 = {5, 0}"],
  "hardware breakpoints and steps": ["=> 0x"],
  "watchpoints of all kinds": ["Hardware watchpoint 2", "Hardware read watchpoint 3", "Hardware access (read/write)"],
  "what it changes": ["$3 = 1001", "$4 = 7"],
  "code that is mapped twice": ["$1 = 0x40001010"],
};

const obstacle = assemblerObstacle() ?? (isInstalled("gdb") ? null : "gdb is not installed");
// What QEMU makes of the scripts does not depend on how Isola executes code.
const compared = process.env["ISOLA_TRANSLATION"] !== "at-once";
const peer = compared && isInstalled(qemu.command) ? qemu : null;
if (obstacle !== null) process.stderr.write(`SKIPPED real GDB on Isola: ${obstacle}\n`);
else if (compared && peer === null)
  process.stderr.write("SKIPPED comparison of what GDB sees with QEMU: it is not installed\n");

/** What is printed from the first command on: QEMU's machine begins in its firmware. */
function comparable(output: string): string[] {
  const [, ...lines] = output
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^warning|^determining|^Remote comm/.test(line));
  // The names of flags belong to the stubs.
  return lines.filter((line) => !/\[Inferior/.test(line)).map((line) => line.replace(/^(eflags .*)\[.*\]$/, "$1"));
}

describe.skipIf(obstacle !== null)("real GDB", () => {
  const elf = obstacle === null ? assemble("debuggee") : "";
  const run = (debuggee: Debuggee, title: string) => debug(debuggee, elf, (SCRIPTS[title] ?? "").replace(/^ +/gm, ""));

  it.each(Object.keys(SCRIPTS))(
    "sees %s",
    async (title) => {
      const output = await run(isola, title);
      for (const text of EXPECTED[title] ?? []) expect(output).toContain(text);
      if (peer !== null) expect(comparable(output)).toEqual(comparable(await run(peer, title)));
    },
    TIMEOUT_MS,
  );

  it(
    "sees the x87 stack from its top",
    async () => {
      // QEMU 7.2 shows the physical registers, and a tag word that says nothing.
      const output = await debug(
        isola,
        elf,
        "hbreak work_end\ncontinue\nprint $st0\nprint $st7\nprint/x $ftag\nprint/x $fstat\n",
      );
      for (const text of ["$1 = 2\n", "$2 = 1\n", "$3 = 0x3fff\n", "$4 = 0x3800\n"]) expect(output).toContain(text);
    },
    TIMEOUT_MS,
  );

  it(
    "is told when the machine ends, and how it ends by a triple fault",
    async () => {
      const end = await debug(isola, elf, "continue\n");
      expect(end).toMatch(/\[Inferior 1 \(Remote target\) exited with code 041\]/);
      const fault = await debug(
        isola,
        elf,
        "hbreak main64\ncontinue\nset $rsp = 0\nset $rip = 0x3fffffff0000\ncontinue\nmonitor info registers\ncontinue\n",
      );
      expect(fault).toContain("SIGSEGV");
      expect(fault).toContain("cr0 ");
      expect(fault).toMatch(/exited with code 0213/);
    },
    TIMEOUT_MS,
  );
});
