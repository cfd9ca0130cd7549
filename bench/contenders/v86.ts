// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contender } from "./contender.js";

/** Paths of the BIOS images that v86 boots through. */
export interface BiosImages {
  readonly bios: string;
  readonly vgaBios: string;
}

/** v86 in Node, from npm. `bios` brings its BIOS images and is called only if v86 is there. */
export function v86(root: string, bios: () => Promise<BiosImages>): Contender {
  const directory = join(root, "node_modules", "v86");
  let images: BiosImages = { bios: "", vgaBios: "" };
  return {
    name: "v86",
    architectures: ["i386"],
    setup:
      "in the same Node as Isola with the same options, with Debian's SeaBIOS and VGA BIOS; the time to the shell includes both",
    rehearses: false,
    lacksHostIo: true,
    async presence() {
      const manifest = join(directory, "package.json");
      if (!existsSync(manifest)) return { missing: "npm package v86 is not installed: run npm install" };
      const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
      images = await bios();
      return { version };
    },
    command: ({ kernel, initrd, append, memoryMiB }) => ({
      program: process.execPath,
      args: [
        ...process.execArgv,
        join(root, "bench", "contenders", "v86-machine.mjs"),
        ...[kernel, initrd, append, images.bios, images.vgaBios, String(memoryMiB)],
      ],
    }),
    selfReport: () => null,
  };
}
