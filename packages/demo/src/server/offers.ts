// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "@isola/base";
import { pullFirmware } from "@isola/images";
import { DEFAULT_CONFIG } from "@isola/machine";
import type { MissingMachine, OfferedMachine } from "../catalogue.js";
import type { MachineName } from "./options.js";
import { pullImage, type ReadyImage } from "./pull.js";

/** Files of the host by the path under which the page may fetch them. */
export type ServedFiles = Map<string, string>;

const GIB = 2 ** 30;
/** Digits of an image's key that tell it from others. */
const KEY_DIGITS = 16;
const DATA_DISK = { kind: "kept", name: "busybox-data", base: null, size: GIB } as const;

const ABOUT: { readonly [K in MachineName]: { readonly title: string; readonly summary: string } } = {
  debian: {
    title: "Debian 12",
    summary: "A whole Debian with systemd, apt and a root shell on its serial port. Its disk keeps what you change.",
  },
  busybox: {
    title: "Small Linux",
    summary:
      "Debian's kernel and a busybox shell in memory, there in seconds, with an empty disk of 1 GiB at /dev/vda.",
  },
  pc: {
    title: "PC",
    summary:
      "A computer with BIOS, screen, keyboard and mouse. Give it an installation CD, a disk or a floppy of yours.",
  },
};

function publish(served: ServedFiles, key: string, name: string, path: string): string {
  const address = `/images/${key.slice(0, KEY_DIGITS)}/${name}`;
  served.set(address, path);
  return address;
}

function microvm(image: ReadyImage, served: ServedFiles, memory: number): Pick<OfferedMachine, "config" | "files"> {
  const { key, kernel, initrd, append } = image;
  return {
    config: {
      ...DEFAULT_CONFIG,
      memory,
      boot: { kind: "kernel", kernel: "kernel", modules: ["initrd"], commandLine: append },
    },
    files: {
      kernel: publish(served, key, "vmlinuz", kernel),
      initrd: publish(served, key, "initrd", initrd),
    },
  };
}

async function debian(program: string, served: ServedFiles): Promise<Omit<OfferedMachine, "id" | "title" | "summary">> {
  const image = await pullImage(program, "debian:12");
  if (image.disk === null) throw new OperatorError("pull-failed", "debian:12 has no disk");
  const { config, files } = microvm(image, served, 512 << 20);
  const url = publish(served, image.key, "disk.img", image.disk);
  const name = `debian-12-${image.key.slice(0, KEY_DIGITS)}`;
  return {
    console: "serial",
    available: true,
    config: { ...config, disks: [{ store: "disk", serial: "debian-12" }] },
    files,
    disks: { disk: { kind: "kept", name, base: { kind: "url", url }, size: 0 } },
  };
}

async function busybox(
  program: string,
  served: ServedFiles,
): Promise<Omit<OfferedMachine, "id" | "title" | "summary">> {
  const { config, files } = microvm(await pullImage(program, "busybox"), served, 256 << 20);
  return {
    console: "serial",
    available: true,
    config: { ...config, disks: [{ store: "data", serial: "data" }] },
    files,
    disks: { data: DATA_DISK },
  };
}

async function pc(served: ServedFiles): Promise<Omit<OfferedMachine, "id" | "title" | "summary">> {
  const { version, bios, videoRom } = await pullFirmware();
  const key = `seabios-${version}`;
  return {
    console: "screen",
    available: true,
    config: {
      ...DEFAULT_CONFIG,
      preset: "pc",
      memory: 512 << 20,
      boot: { kind: "firmware", file: "bios", nvram: null, videoRom: "video-rom", order: ["disk", "cdrom", "floppy"] },
      ide: [{ kind: "disk", store: "disk", serial: "pc-disk" }, null, { kind: "cdrom", store: null }, null],
      floppies: [null, null],
      sound: "ac97",
    },
    files: {
      bios: publish(served, key, "bios.bin", bios),
      "video-rom": publish(served, key, "vgabios.bin", videoRom),
    },
    disks: { disk: { kind: "kept", name: "pc-disk", base: null, size: 8 * GIB } },
  };
}

/**
 * Makes machines ready: pulls what they need, and enters their files into `served`. One that cannot be made ready is
 * offered with the reason.
 * @param program the bundled command line
 */
export async function offerMachine(
  name: MachineName,
  program: string,
  served: ServedFiles,
): Promise<OfferedMachine | MissingMachine> {
  const about = { id: name, ...ABOUT[name] };
  try {
    switch (name) {
      case "debian":
        return { ...about, ...(await debian(program, served)) };
      case "busybox":
        return { ...about, ...(await busybox(program, served)) };
      case "pc":
        return { ...about, ...(await pc(served)) };
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { ...about, available: false, reason: error.message };
  }
}

/** The files of the page and of the engine, which the build puts beside this program, by their addresses. */
export function programFiles(build: string): {
  readonly files: ServedFiles;
  readonly page: string;
  readonly version: string;
} {
  const folder = join(build, "demo");
  const files: ServedFiles = new Map([
    ...["page.js", "page.css", "machine-worker.js", "favicon.svg"].map(
      (name) => [`/${name}`, join(folder, name)] as const,
    ),
    ...["helpers.wasm", "interpreter.wasm"].map((name) => [`/engine/${name}`, join(build, name)] as const),
  ]);
  try {
    const hash = createHash("sha256");
    for (const name of ["/machine-worker.js", "/engine/helpers.wasm", "/engine/interpreter.wasm"])
      hash.update(readFileSync(files.get(name) ?? ""));
    return { files, page: readFileSync(join(folder, "index.html"), "utf8"), version: hash.digest("hex") };
  } catch (error) {
    throw new OperatorError("page-missing", `the page is missing in ${dirname(folder)}; run "npm run build"`, {
      cause: error,
    });
  }
}
