// SPDX-License-Identifier: Apache-2.0
// Boot loaders and firmware-sized programs on a `pc`.
import type { Guest } from "./guest.js";
import { busyboxLinux, dataCd, isolinuxCd, packaged } from "./media.js";
import { syslinuxFloppy } from "./syslinux-floppy.js";

const LINUX = "console=tty0 console=ttyS0 quiet panic=-1 cryptomgr.notests";
const SHELL = /Isola: busybox shell on [\w.-]+ \w+/;
/** The last line of the screen is GRUB's prompt and nothing more. */
const GRUB_PROMPT = /grub>$/;

function memtest(kind: "x64" | "ia32"): Guest {
  return {
    id: `pc-memtest-${kind}`,
    title: `Memtest86+ from its CD (${kind}), two processors`,
    media: { "memtest.iso": packaged("memtest86+", `usr/lib/memtest86+/memtest86+${kind}.iso`) },
    stages: [
      {
        options: ["--machine", "pc", "--cdrom", "@memtest.iso", "--memory", "32M", "--cpus", "2"],
        console: "screen",
        steps: [
          { see: /Memtest86\+ v\S+/ },
          { see: /Test #4/, quote: false },
          { see: /Errors: 0\b/ },
          { picture: `pc-memtest-${kind}` },
        ],
      },
    ],
  };
}

const ipxe: Guest = {
  id: "pc-ipxe",
  title: "iPXE from its CD",
  media: { "ipxe.iso": packaged("ipxe", "usr/lib/ipxe/ipxe.iso") },
  stages: [
    {
      options: ["--machine", "pc", "--cdrom", "@ipxe.iso"],
      console: "screen",
      steps: [
        { see: /iPXE initialising devices/ },
        { see: /Open Source Network Boot Firmware/ },
        { picture: "pc-ipxe" },
      ],
    },
  ],
};

const isolinux: Guest = {
  id: "pc-isolinux",
  title: "ISOLINUX with Debian's cloud kernel, two processors",
  media: { "linux.iso": isolinuxCd(busyboxLinux("linux-image-cloud-amd64"), LINUX, ["SERIAL 0"]) },
  stages: [
    {
      options: ["--machine", "pc", "--cdrom", "@linux.iso", "--cpus", "2"],
      steps: [
        { see: /ISOLINUX [\d.]+/ },
        { see: SHELL },
        { type: "dmesg | grep -c 'smpboot: Total of 2'; poweroff -f\n" },
        { see: /\n1\r/, quote: false },
        { ends: 0 },
      ],
    },
  ],
};

const grubFloppy: Guest = {
  id: "pc-grub-floppy",
  title: "GRUB's rescue floppy",
  media: { "grub.img": packaged("grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-floppy.img") },
  stages: [
    {
      options: ["--machine", "pc", "--floppy", "@grub.img", "--boot", "floppy"],
      console: "screen",
      // To the prompt only: the rest would take as long as a floppy does.
      steps: [{ see: /GNU GRUB {2}version \S+/ }, { picture: "pc-grub-floppy" }],
    },
  ],
};

const grubCd: Guest = {
  id: "pc-grub-cdrom",
  title: "GRUB's rescue CD, and Debian's cloud kernel by commands typed at its prompt",
  media: {
    "grub.iso": packaged("grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-cdrom.iso"),
    "linux.iso": dataCd(busyboxLinux("linux-image-cloud-amd64")),
  },
  stages: [
    {
      options: ["--machine", "pc", "--cdrom", "@grub.iso", "--disk", "@linux.iso,readonly", "--boot", "cdrom"],
      console: "screen",
      steps: [
        { see: /GNU GRUB {2}version \S+/ },
        { see: /`c' for a command-line/, quote: false },
        { type: "c" },
        { see: GRUB_PROMPT },
        { type: "linux (hd0)/vmlinuz console=ttyS0 console=tty0 quiet panic=-1 cryptomgr.notests\r" },
        { see: GRUB_PROMPT, quote: false },
        { type: "initrd (hd0)/initrd\r" },
        { see: GRUB_PROMPT, quote: false },
        { picture: "pc-grub-cdrom" },
        { type: "boot\r" },
        { see: SHELL },
      ],
    },
  ],
};

const syslinux: Guest = {
  id: "pc-syslinux-floppy",
  title: "SYSLINUX on a floppy, which loads Memtest86+",
  media: { "floppy.img": syslinuxFloppy("memtest86+", "boot/memtest86+x64.bin") },
  stages: [
    {
      options: ["--machine", "pc", "--floppy", "@floppy.img", "--boot", "floppy", "--memory", "32M"],
      console: "screen",
      steps: [{ see: /SYSLINUX 6\.04/ }, { see: /Loading linux\.\.\./ }, { see: /Memtest86\+ v\S+/ }],
    },
  ],
};

export const firmwareGuests: readonly Guest[] = [
  grubCd,
  grubFloppy,
  isolinux,
  syslinux,
  memtest("x64"),
  memtest("ia32"),
  ipxe,
];
