// SPDX-License-Identifier: Apache-2.0
// Debian installed by script from the installer onto an empty disk, which then boots by itself.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeTar } from "../../../packages/images/test-support/archives.js";
import { CheckFailure } from "../check.js";
import type { Guest, Medium, Step, Workshop } from "./guest.js";
import { installer } from "./installer-guests.js";
import { isolinuxCd, overKept, qcow2Disk } from "./media.js";
import { PackageServer } from "./package-server.js";

/** This host as guests see it (docs/guide/network.md). */
const HOST = "10.0.2.2";
const RECIPE = "tests/boot/installer";
const DISK = "/dev/vda";
const LIBRARIES = "usr/lib/x86_64-linux-gnu";

/** Drivers that the installer would load from its mirror: of its own kernel's package. */
const MODULES = [
  "kernel/lib/crc16.ko",
  "kernel/fs/mbcache.ko",
  "kernel/fs/jbd2/jbd2.ko",
  "kernel/fs/ext4/ext4.ko",
  "kernel/drivers/ata/libata.ko",
  "kernel/drivers/ata/ata_piix.ko",
  "kernel/drivers/block/virtio_blk.ko",
];

/** Programs that the installer's own shell does not have, with the libraries that are not there either. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "cdebootstrap-static": [
    "usr/bin/cdebootstrap-static",
    ...["action", "packages", "sections"].map((name) => `usr/share/cdebootstrap-static/generic/${name}`),
    ...["apt", "makedev", "rc.d"].map((name) => `usr/share/cdebootstrap-static/cdebootstrap-helper-${name}.deb`),
    "usr/share/cdebootstrap-static/suites",
  ],
  e2fsprogs: ["sbin/mke2fs", "etc/mke2fs.conf"],
  fdisk: ["sbin/sfdisk"],
  "libcom-err2": ["lib/x86_64-linux-gnu/libcom_err.so.2"],
  libext2fs2: ["lib/x86_64-linux-gnu/libext2fs.so.2", "lib/x86_64-linux-gnu/libe2p.so.2"],
  libfdisk1: [`${LIBRARIES}/libfdisk.so.1`],
  libsmartcols1: [`${LIBRARIES}/libsmartcols.so.1`],
};

/** `uname -r` of a bzImage (Linux boot protocol, kernel_version). */
function kernelRelease(kernel: Uint8Array): string {
  const bytes = Buffer.from(kernel.buffer, kernel.byteOffset, kernel.byteLength);
  const at = 0x200 + bytes.readUInt16LE(0x20e);
  const [release] = bytes.toString("latin1", at, at + 64).split(" ", 1);
  if (!/^\d[\w.+-]*$/.test(release)) throw new CheckFailure("the installer's kernel does not say its version");
  return release;
}

/** What install.sh unpacks over the installer's own files. */
async function tools(workshop: Workshop, release: string): Promise<Buffer> {
  const members: { path: string; body: Uint8Array; mode: number }[] = [];
  for (const [name, paths] of Object.entries(PROGRAMS))
    for (const [path, body] of await workshop.files(name, paths)) members.push({ path, body, mode: 0o755 });
  const directory = `lib/modules/${release}`;
  const modules = MODULES.map((path) => `${directory}/${path}`);
  for (const [path, body] of await workshop.files(`linux-image-${release}`, modules))
    members.push({ path: `modules/${path.split("/").at(-1) ?? ""}`, body, mode: 0o644 });
  return makeTar(members);
}

/** The installer's CD; the answers to its questions and all packages come from a server of this host. */
const unattendedCd: Medium = async (workshop) => {
  const linux = await installer("amd64", "text")(workshop);
  const server = await PackageServer.open();
  workshop.atEnd(() => server.close());
  const address = `http://${HOST}:${server.port}`;
  for (const name of ["preseed.cfg", "install.sh"]) {
    const text = readFileSync(join(workshop.root, RECIPE, name), "utf8");
    server.add(name, Buffer.from(text.replaceAll("@SERVER@", address).replaceAll("@DISK@", DISK)));
  }
  server.add("tools.tar", await tools(workshop, kernelRelease(linux.kernel)));
  const commandLine = `console=ttyS0 auto=true priority=critical url=${address}/preseed.cfg DEBIAN_FRONTEND=text`;
  return isolinuxCd(async () => linux, `${commandLine} --- quiet`)(workshop);
};

const ID = "installer-unattended";
const KEPT_DISK = "debian-12-installed.qcow2";

const install: Guest = {
  id: ID,
  title:
    "debian-installer with preseeded answers; from its shell, a script installs Debian 12 with cdebootstrap, kernel and GRUB onto a qcow2 disk",
  slow: true,
  media: { "installer.iso": unattendedCd, "disk.qcow2": qcow2Disk("4G") },
  keeps: { "disk.qcow2": KEPT_DISK },
  stages: [
    {
      options: [
        ...["--machine", "pc", "--cdrom", "@installer.iso", "--boot", "cdrom", "--disk", "@disk.qcow2,bus=virtio"],
        ...["--memory", "1G", "--network", "user,host-loopback,card=e1000"],
      ],
      steps: [
        { see: /Configuring the network with DHCP/, seconds: 1800 },
        { see: /isola: partitioning/, seconds: 1800 },
        { see: /isola: installing the base system/, seconds: 1800 },
        { see: /isola: installing kernel and boot loader/, seconds: 7200 },
        { see: /isola: installed/, seconds: 7200 },
        { ends: 0 },
      ],
    },
  ],
};

/** From the BIOS by GRUB to a login and a shell. */
const LOGIN: readonly Step[] = [
  { see: /Debian GNU\/Linux 12 isola ttyS0/ },
  { see: /isola login: /, quote: false },
  { type: "root\n" },
  { see: /Password: /, quote: false },
  { type: "isola\n" },
  { see: /root@isola:~# /, quote: false },
];
const WORD = "kept over a power cut";

const installed: Guest = {
  id: "installed-debian",
  title:
    "what the script has installed, by itself from BIOS and GRUB to a login: on a virtio disk until the power is cut, then on an IDE disk",
  media: { "disk.qcow2": overKept(KEPT_DISK, ID) },
  slow: true,
  stages: [
    {
      options: ["--machine", "pc", "--disk", "@disk.qcow2,bus=virtio", "--memory", "512M"],
      steps: [
        ...LOGIN,
        { picture: "installed-debian" },
        { type: `findmnt -no SOURCE,FSTYPE,LABEL /; echo ${WORD} > word && sync word && echo wri""tten\n` },
        { see: /\/dev\/vda1 +ext4 +root/ },
        { see: /written/, quote: false },
        { powerCut: true },
      ],
    },
    {
      options: ["--machine", "pc", "--disk", "@disk.qcow2", "--memory", "512M"],
      steps: [
        ...LOGIN,
        { type: "findmnt -no SOURCE,FSTYPE,LABEL /; cat word; dpkg --audit && echo aud''ited\n" },
        { see: /\/dev\/sda1 +ext4 +root/ },
        { see: new RegExp(WORD) },
        { see: /audited/, quote: false },
        { type: "systemctl poweroff\n" },
        { ends: 0 },
      ],
    },
  ],
};

export const unattendedInstalls: readonly Guest[] = [install, installed];
