// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from "node:fs";
import { openDiskImage } from "@isola/host-node";
import { copyDisk, openQcow2 } from "@isola/storage";
import { parseDiskFormat } from "../../disk-option.js";
import { UsageError } from "../../usage-error.js";
import type { DiskAction } from "./action.js";
import { makeImage, NEW_IMAGE_OPTIONS, newFormat } from "./create.js";

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

export const convert: DiskAction = {
  name: "convert",
  synopsis: "FROM TO",
  least: 2,
  most: 2,
  options: {
    ...NEW_IMAGE_OPTIONS,
    "source-format": { value: "FORMAT", help: "format of FROM; if it is not given, its first bytes tell" },
  },
  async run([from, to], line) {
    const said = line.get("source-format");
    const format = said === undefined ? {} : { format: parseDiskFormat(said, "--source-format") };
    if (isSameFile(from, to)) throw new UsageError(`disk convert: ${from} and ${to} are the same file`);
    const source = await openDiskImage({ path: from, mode: "readonly", ...format });
    const { stderr } = process;
    const progress = (done: number) => {
      if (stderr.isTTY) stderr.write(`\r${Math.floor((done / source.size) * 100)}%\x1b[K`);
    };
    try {
      await makeImage(to, line, { size: source.size }, async (file) => {
        if (newFormat(line) === "raw") return copyDisk(source, file, progress);
        const target = await openQcow2(file, { name: to, readOnly: false, backing: null, decompressor: null });
        await copyDisk(source, target, progress);
        await target.close();
      });
    } finally {
      if (stderr.isTTY) stderr.write("\r\x1b[K");
      await source.close();
    }
    return 0;
  },
};
