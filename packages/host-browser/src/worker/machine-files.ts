// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import type { DiskFolder } from "../disk/disk-folder.js";
import type { DiskSource, ImageSource } from "../disk/disk-source.js";
import { openDisk } from "../disk/open-disk.js";
import { fetchFile } from "../http/fetch-file.js";
import { browserError } from "../host-error.js";
import type { MachineRequest } from "./protocol.js";

type Progress = (what: string, done: number, total: number) => void;

async function load(name: string, source: ImageSource, progress: Progress): Promise<Uint8Array> {
  if (source.kind === "url") return fetchFile(source.url, (done, total) => progress(name, done, total));
  try {
    return new Uint8Array(await source.file.arrayBuffer());
  } catch (error) {
    throw browserError(`read ${source.name}`, error);
  }
}

/** Fetches the engine's modules and all files that a machine boots from. Rejects with an OperatorError. */
export async function loadFiles({ modules, files }: MachineRequest, progress: Progress) {
  const names = Object.keys(files);
  const [helpers, interpreter, ...contents] = await Promise.all([
    load("engine", { kind: "url", url: modules.helpers }, () => {}),
    load("engine", { kind: "url", url: modules.interpreter }, progress),
    ...Object.entries(files).map(([name, source]) => load(name, source, progress)),
  ]);
  return {
    modules: { helpers, interpreter },
    files: Object.fromEntries(names.map((name, i) => [name, contents[i] ?? new Uint8Array()])),
  };
}

/** Opens all disks of a machine, or none: those already open are closed if one fails. */
export async function openDisks(
  disks: { readonly [store: string]: DiskSource },
  folder: () => Promise<DiskFolder>,
): Promise<{ [store: string]: BlockStore }> {
  const open: { [store: string]: BlockStore } = {};
  try {
    for (const [store, source] of Object.entries(disks)) open[store] = await openDisk(source, await folder());
    return open;
  } catch (error) {
    for (const store of Object.values(open)) await store.close();
    throw error;
  }
}
