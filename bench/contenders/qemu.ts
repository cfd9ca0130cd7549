// SPDX-License-Identifier: Apache-2.0
import { capture } from "../capture.js";
import { type Architecture, type Contender, MEMORY_MIB } from "./contender.js";

const PROGRAMS: { readonly [K in Architecture]: string } = { amd64: "qemu-system-x86_64", i386: "qemu-system-i386" };

/** QEMU with its own translator (TCG), never KVM. */
export function qemu(): Contender {
  return {
    name: "QEMU TCG",
    architectures: ["amd64", "i386"],
    setup:
      "`-accel tcg -M pc`, default processor model, no graphics, network or default devices; " +
      "the time to the shell includes SeaBIOS, which loads the kernel by `-kernel`",
    async presence() {
      for (const program of Object.values(PROGRAMS)) {
        const version = await capture(program, ["--version"]);
        if (version === null) return { missing: `${program} is not installed (Debian: qemu-system-x86)` };
      }
      const version = await capture(PROGRAMS.amd64, ["--version"]);
      return { version: version?.split("\n")[0].replace("QEMU emulator version ", "") ?? "unknown" };
    },
    command: ({ architecture, kernel, initrd, append }) => ({
      program: PROGRAMS[architecture],
      args: [
        ...["-accel", "tcg", "-M", "pc", "-m", `${MEMORY_MIB}M`, "-smp", "1", "-no-reboot"],
        ...["-nodefaults", "-nic", "none", "-vga", "none", "-display", "none", "-monitor", "none"],
        ...["-serial", "stdio", "-kernel", kernel, "-initrd", initrd, "-append", append],
      ],
    }),
  };
}
