// SPDX-License-Identifier: Apache-2.0
import { capture } from "../capture.js";
import type { Architecture, GuestDisk } from "../guest.js";
import type { Contender } from "./contender.js";

const PROGRAMS: { readonly [K in Architecture]: string } = { amd64: "qemu-system-x86_64", i386: "qemu-system-i386" };

const MODES: { readonly [K in GuestDisk["mode"]]: string } = {
  temporary: "snapshot=on",
  readonly: "readonly=on",
  // The default, said aloud: writes are done when this host's page cache has them.
  writable: "cache=writeback",
};

/** The value of -drive; a comma in it is written twice. Changes to a snapshot go to a file that is never flushed. */
function drive({ path, format, mode }: GuestDisk): string {
  return `if=virtio,format=${format},${MODES[mode]},file=${path.replaceAll(",", ",,")}`;
}

const NO_NETWORK = ["-nic", "none"];
const USER_NETWORK = ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"];

/** QEMU with its own translator (TCG), never KVM. */
export function qemu(): Contender {
  return {
    name: "QEMU TCG",
    architectures: ["amd64", "i386"],
    setup:
      "`-accel tcg -M pc`, default processor model (`-cpu max` where a guest needs AVX2), no graphics, default devices " +
      "or, but for the section on it, network; the time of a boot includes SeaBIOS, which loads the kernel by `-kernel`",
    rehearses: false,
    async presence() {
      for (const program of Object.values(PROGRAMS)) {
        const version = await capture(program, ["--version"]);
        if (version === null) return { missing: `${program} is not installed (Debian: qemu-system-x86)` };
      }
      const version = await capture(PROGRAMS.amd64, ["--version"]);
      return { version: version?.split("\n")[0].replace("QEMU emulator version ", "") ?? "unknown" };
    },
    command: ({ architecture, kernel, initrd, append, memoryMiB, disks, network, avx2 }) => ({
      program: PROGRAMS[architecture],
      args: [
        ...["-accel", "tcg", "-M", "pc", "-m", `${memoryMiB}M`, "-smp", "1", "-no-reboot"],
        ...(network ? USER_NETWORK : NO_NETWORK),
        ...["-nodefaults", "-vga", "none", "-display", "none", "-monitor", "none"],
        ...["-serial", "stdio", "-kernel", kernel, "-initrd", initrd, "-append", append],
        ...disks.flatMap((disk) => ["-drive", drive(disk)]),
        ...(avx2 ? ["-cpu", "max"] : []),
      ],
    }),
    selfReport: () => null,
  };
}
