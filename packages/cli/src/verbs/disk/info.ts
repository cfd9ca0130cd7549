// SPDX-License-Identifier: Apache-2.0
import { statSync } from "node:fs";
import { openDiskImage, openImageFile } from "@isola/host-node";
import { probeFile, type Qcow2Info, qcow2Info } from "@isola/storage";
import { parseDiskFormat } from "../../disk-option.js";
import { type DiskAction, FORMAT_OPTION } from "./action.js";

/** What is told of an image, in this order. */
type Facts = Record<string, string | number | boolean | null | readonly object[]>;

function qcow2Facts(info: Qcow2Info): Facts {
  return {
    version: info.version,
    clusterSize: info.clusterSize,
    refcountBits: info.refcountBits,
    compression: info.compression,
    backing: info.backing?.name ?? null,
    backingFormat: info.backing?.format ?? null,
    snapshots: info.snapshots,
    dirty: info.dirty,
    corrupt: info.corrupt,
  };
}

/** Bytes that the file takes up on its disk, which is less than its size if it has holes. */
function storedBytes(path: string): number | null {
  try {
    return statSync(path).blocks * 512;
  } catch {
    return null;
  }
}

async function factsOf(path: string, said: string | undefined): Promise<Facts> {
  const { name, store } = await openImageFile(path, true);
  try {
    const probed = await probeFile(store);
    const format = said === undefined ? probed.format : parseDiskFormat(said, "--format");
    const facts = { file: name, format: format ?? probed.label };
    const more = { fileSize: store.size, stored: storedBytes(path) };
    if (format === "qcow2") {
      const info = await qcow2Info(store, name);
      return { ...facts, size: info.size, ...more, ...qcow2Facts(info) };
    }
    const disk = await openDiskImage({ path, mode: "readonly", ...(format === null ? {} : { format }) });
    await disk.close();
    return { ...facts, size: disk.size, ...more };
  } finally {
    await store.close();
  }
}

function shown(value: Facts[string]): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(snapshotText).join(", ");
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

function snapshotText({ id, name, created }: { id: string; name: string; created: number }): string {
  return `${id} "${name}" of ${new Date(created * 1000).toISOString().slice(0, 19)}Z`;
}

export const info: DiskAction = {
  name: "info",
  synopsis: "FILE",
  least: 1,
  most: 1,
  options: {
    ...FORMAT_OPTION,
    json: { help: "tell it as JSON" },
  },
  async run([path], line) {
    const facts = await factsOf(path, line.get("format"));
    if (line.has("json")) {
      process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
      return 0;
    }
    for (const [name, value] of Object.entries(facts))
      if (value !== null) {
        const label = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
        process.stdout.write(`${label.padEnd(15)} ${shown(value)}\n`);
      }
    return 0;
  },
};
