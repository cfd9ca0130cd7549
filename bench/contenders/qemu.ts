// SPDX-License-Identifier: Apache-2.0
import { capture } from "../capture.js";
import type { Architecture, GuestDisk } from "../guest.js";
import type { Contender } from "./contender.js";

const PROGRAMS: { readonly [K in Architecture]: string } = { amd64: "qemu-system-x86_64", i386: "qemu-system-i386" };

/** The value of -drive; a comma in it is written twice. Changes to a snapshot go to a file that is never flushed. */
function drive({ path, mode }: GuestDisk): string {
  const changes = mode === "temporary" ? "snapshot=on" : "readonly=on";
  return `if=virtio,format=raw,${changes},file=${path.replaceAll(",", ",,")}`;
}

/** QEMU with its own translator (TCG), never KVM. */
export function qemu(): Contender {
  return {
    name: "QEMU TCG",
    architectures: ["amd64", "i386"],
    setup:
      "`-accel tcg -M pc`, default processor model (`-cpu max` where a guest needs AVX2), no graphics, network or " +
      "default devices; the time of a boot includes SeaBIOS, which loads the kernel by `-kernel`",
    rehearses: false,
    async presence() {
      for (const program of Object.values(PROGRAMS)) {
        const version = await capture(program, ["--version"]);
        if (version === null) return { missing: `${program} is not installed (Debian: qemu-system-x86)` };
      }
      const version = await capture(PROGRAMS.amd64, ["--version"]);
      return { version: version?.split("\n")[0].replace("QEMU emulator version ", "") ?? "unknown" };
    },
    command: ({ architecture, kernel, initrd, append, memoryMiB, disks, avx2 }) => ({
      program: PROGRAMS[architecture],
      args: [
        ...["-accel", "tcg", "-M", "pc", "-m", `${memoryMiB}M`, "-smp", "1", "-no-reboot"],
        ...["-nodefaults", "-nic", "none", "-vga", "none", "-display", "none", "-monitor", "none"],
        ...["-serial", "stdio", "-kernel", kernel, "-initrd", initrd, "-append", append],
        ...disks.flatMap((disk) => ["-drive", drive(disk)]),
        ...(avx2 ? ["-cpu", "max"] : []),
      ],
    }),
    selfReport: () => null,
  };
}
