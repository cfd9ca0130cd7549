// SPDX-License-Identifier: Apache-2.0
// What starts by UEFI, and firmware that is neither SeaBIOS nor OVMF.
import { efiCd, efiDisk, efiDiskWithRoot, grubWithLinux, imageLinux, packagedEfi } from "./gpt-disk.js";
import type { Guest, Stage, Step } from "./guest.js";
import { busyboxLinux, packaged } from "./media.js";

const UEFI = ["--machine", "pc", "--firmware", "uefi"];
const LINUX = "console=ttyS0 quiet panic=-1 cryptomgr.notests";
const SHELL = /Isola: busybox shell on [\w.-]+ \w+/;
const PROMPT = /Shell> /;

/** To the prompt of the UEFI shell, without waiting for a script. */
const TO_PROMPT: readonly Step[] = [
  { see: /UEFI Interactive Shell v\S+/ },
  { see: /any other key to continue/, quote: false },
  { type: "\r" },
  { see: PROMPT, quote: false },
];

const shell: Guest = {
  id: "uefi-shell",
  title: "OVMF's UEFI shell; a variable that is kept over a reset",
  media: {},
  stages: [
    {
      options: [...UEFI, "--nvram", "vars.fd", "--memory", "64M"],
      steps: [
        ...TO_PROMPT,
        { picture: "uefi-shell" },
        { type: "set proof 4711\r" },
        { see: PROMPT, quote: false },
        { type: "reset\r" },
        ...TO_PROMPT,
        { type: "set proof\r" },
        { see: /4711/ },
        { type: "reset -s\r" },
        { ends: 0 },
      ],
    },
    {
      // The file has it too, and knows it in a new machine, with another number of processors.
      options: [...UEFI, "--nvram", "vars.fd", "--memory", "1G", "--cpus", "2"],
      steps: [...TO_PROMPT, { type: "set proof\r" }, { see: /4711/ }, { type: "reset -s\r" }, { ends: 0 }],
    },
  ],
};

/** @param first of its guest, of which the table says more */
function linuxOn(disk: readonly string[], first = false): Stage {
  return {
    options: [...UEFI, ...disk],
    steps: [
      { see: /GRUB starts Linux/ },
      { see: SHELL },
      { type: `echo "<""$(ls -d /sys/firmware/efi) $(cat /sys/class/dmi/id/sys_vendor)>"\n` },
      { see: /<\/sys\/firmware\/efi Isola>/, ...(first ? {} : { quote: false }) },
      { type: "poweroff -f\n" },
      { ends: 0 },
    ],
  };
}

const linux: Guest = {
  id: "uefi-linux",
  title: "GRUB and Debian's cloud kernel by UEFI from a GPT disk on IDE and NVMe",
  media: { "gpt.raw": efiDisk(grubWithLinux(busyboxLinux("linux-image-cloud-amd64"), LINUX)) },
  stages: [linuxOn(["--disk", "@gpt.raw"], true), linuxOn(["--disk", "@gpt.raw,bus=nvme", "--cpus", "2"])],
};

const linuxElsewhere: Guest = {
  ...linux,
  id: "uefi-linux-sata",
  title: "GRUB and Debian's cloud kernel by UEFI from a GPT disk on SATA and virtio",
  slow: true,
  stages: [linuxOn(["--disk", "@gpt.raw,bus=ahci"], true), linuxOn(["--disk", "@gpt.raw,bus=virtio"])],
};

const debian: Guest = {
  id: "uefi-debian",
  title: "Debian 12 on a GPT disk, by UEFI and GRUB, to a root shell",
  media: {
    "gpt.raw": efiDiskWithRoot(grubWithLinux(imageLinux("debian:12"), `root=/dev/vda2 ${LINUX}`), "debian:12"),
  },
  stages: [
    {
      options: [...UEFI, "--memory", "512M", "--disk", "@gpt.raw,bus=virtio"],
      steps: [
        { see: /GRUB starts Linux/ },
        { see: /isola login: root \(automatic login\)/ },
        { see: /root@isola:~# /, quote: false },
        { type: "systemctl is-system-running --wait; ls -d /sys/firmware/efi\n" },
        { see: /running\r/ },
        { see: /\n\/sys\/firmware\/efi\r/ },
        { type: "poweroff\n" },
        { ends: 0 },
      ],
    },
  ],
};

const IPXE = packagedEfi({ "EFI/BOOT/BOOTX64.EFI": ["ipxe", "usr/lib/ipxe/ipxe.efi"] });

const cd: Guest = {
  id: "uefi-cd",
  title: "iPXE for UEFI from a CD",
  media: { "efi.iso": efiCd(IPXE) },
  stages: [
    {
      options: [...UEFI, "--cdrom", "@efi.iso"],
      steps: [{ see: /UEFI ISOLA DVD-ROM[^"]*/ }, { see: /iPXE initialising devices/ }],
    },
  ],
};

const ipxe: Guest = {
  id: "uefi-ipxe",
  title: "iPXE for UEFI, which asks the network for an address",
  media: { "gpt.raw": efiDisk(IPXE) },
  stages: [
    {
      options: [...UEFI, "--disk", "@gpt.raw", "--network", "user,mac=52:54:00:12:34:56"],
      steps: [
        { see: /iPXE initialising devices/ },
        { see: /Configuring \(net0/ },
        { see: /\.\.\. ok/, quote: false },
        { picture: "uefi-ipxe" },
      ],
    },
  ],
};

/** All tests of the first pass but for the waiting of the last one take most of a minute; slow, since it waits for two. */
function memtest(kind: "x64" | "ia32"): Guest {
  return {
    id: `pc-memtest-pass-${kind}`,
    title: `Memtest86+ from its CD (${kind}): a whole pass over 64 MiB`,
    slow: true,
    media: { "memtest.iso": packaged("memtest86+", `usr/lib/memtest86+/memtest86+${kind}.iso`) },
    stages: [
      {
        options: ["--machine", "pc", "--cdrom", "@memtest.iso", "--memory", "64M"],
        console: "screen",
        steps: [
          { see: /Memtest86\+ v\S+/ },
          { see: /Test #9/, quote: false },
          { see: /Pass: +1 +Errors: 0\b/ },
          { picture: `pc-memtest-pass-${kind}` },
        ],
      },
    ],
  };
}

const uefiMemtest: Guest = {
  id: "uefi-memtest-pass",
  title: "Memtest86+ as a program of UEFI: a whole pass over 64 MiB",
  slow: true,
  media: { "gpt.raw": efiDisk(packagedEfi({ "MEMTEST.EFI": ["memtest86+", "boot/memtest86+x64.efi"] })) },
  stages: [
    {
      options: [...UEFI, "--disk", "@gpt.raw", "--memory", "64M"],
      steps: [
        ...TO_PROMPT,
        { type: "fs0:memtest.efi console=ttyS0,115200\r" },
        { see: /Memtest86\+ v[\d.]+/ },
        { see: /#9/, quote: false },
        { see: /Pass: +1 +Errors: 0\b/ },
        { picture: "uefi-memtest-pass" },
      ],
    },
  ],
};

/**
 * The 32-bit build calls the display's BIOS in real mode with segments of 64 KiB, and SeaVGABIOS then reads at 0xC0000000:
 * a #GP on a processor that checks limits. So it has to do without.
 */
function uboot(kind: "qemu-x86" | "qemu-x86_64", compiler: RegExp, options: readonly string[]): Guest {
  return {
    id: `u-boot-${kind}`,
    title: `U-Boot (${kind}) as the firmware, to its prompt`,
    media: { "u-boot.rom": packaged("u-boot-qemu", `usr/lib/u-boot/${kind}/u-boot.rom`) },
    stages: [
      {
        options: ["--machine", "pc", "--firmware", "@u-boot.rom", "--memory", "256M", ...options],
        steps: [
          { see: /U-Boot \d{4}\.\d\d/ },
          { see: /Hit any key to stop autoboot/, quote: false },
          { type: " " },
          { see: /=> / },
          { type: "version\r" },
          { see: compiler },
        ],
      },
    ],
  };
}

export const uefiGuests: readonly Guest[] = [
  shell,
  linux,
  linuxElsewhere,
  debian,
  cd,
  ipxe,
  uefiMemtest,
  memtest("x64"),
  memtest("ia32"),
  uboot("qemu-x86", /i686-linux-gnu-gcc/, ["--video-rom", "none"]),
  uboot("qemu-x86_64", /x86_64-linux-gnu-gcc/, []),
];
