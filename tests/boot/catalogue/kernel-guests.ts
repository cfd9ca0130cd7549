// SPDX-License-Identifier: Apache-2.0
// Debian's kernels, with a busybox in an initramfs of our own: booted directly on a microvm, and from a CD on a pc.
import type { Architecture } from "../packages.js";
import type { Guest } from "./guest.js";
import { busyboxLinux, isolinuxCd, kernelOf, initrdOf } from "./media.js";

interface Kernel {
  /** End of the guests' names. */
  readonly name: string;
  readonly packageName: string;
  readonly architecture: Architecture;
  /** `uname -m`. */
  readonly machine: string;
}

const KERNELS: readonly Kernel[] = [
  { name: "cloud-amd64", packageName: "linux-image-cloud-amd64", architecture: "amd64", machine: "x86_64" },
  { name: "amd64", packageName: "linux-image-amd64", architecture: "amd64", machine: "x86_64" },
  { name: "686", packageName: "linux-image-686", architecture: "i386", machine: "i686" },
  { name: "686-pae", packageName: "linux-image-686-pae", architecture: "i386", machine: "i686" },
];

const COMMON = "quiet panic=-1 cryptomgr.notests";

function shell({ machine }: Kernel): RegExp {
  return new RegExp(`Isola: busybox shell on [\\w.-]+ ${machine}`);
}

/** The kernel has found no fault of its own: no oops, no warning. */
const HEALTH = "dmesg | grep -cE 'BUG:|WARNING:|Oops|segfault'";

function direct(kernel: Kernel): Guest {
  const source = busyboxLinux(kernel.packageName, kernel.architecture);
  return {
    id: `kernel-${kernel.name}`,
    title: `${kernel.packageName}, booted directly, two processors`,
    media: { vmlinuz: kernelOf(source), initrd: initrdOf(source) },
    stages: [
      {
        options: [
          ...["--kernel", "@vmlinuz", "--initrd", "@initrd", "--append", `console=ttyS0 ${COMMON}`],
          ...["--memory", "256M", "--cpus", "2"],
        ],
        steps: [
          { see: shell(kernel) },
          { type: `grep -c ^processor /proc/cpuinfo; ${HEALTH}; poweroff -f\n` },
          { see: /\n2\r\n0\r/, quote: false },
          { ends: 0 },
        ],
      },
    ],
  };
}

function fromCd(kernel: Kernel): Guest {
  const source = busyboxLinux(kernel.packageName, kernel.architecture);
  return {
    id: `pc-kernel-${kernel.name}`,
    title: `${kernel.packageName} from a CD by ISOLINUX, console on VGA and keyboard`,
    media: { "linux.iso": isolinuxCd(source, `console=tty0 ${COMMON}`) },
    stages: [
      {
        options: ["--machine", "pc", "--cdrom", "@linux.iso", "--memory", "256M"],
        console: "screen",
        steps: [
          { see: shell(kernel) },
          { type: `${HEALTH}; uname -m\r` },
          { see: new RegExp(`\\n0\\n${kernel.machine}\\n`), quote: false },
          { picture: `pc-kernel-${kernel.name}` },
          { type: "poweroff -f\r" },
          { ends: 0 },
        ],
      },
    ],
  };
}

export const kernelGuests: readonly Guest[] = [...KERNELS.map(direct), ...KERNELS.map(fromCd)];
