// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Something that a guest has shown. */
export interface Seen {
  readonly where: "screen" | "serial";
  readonly text: string;
}

/** What one run of a guest has come to. */
export interface Reached {
  /** Versions of the packages it was made of. */
  readonly packages: Map<string, string>;
  readonly seen: Seen[];
  /** PNG files by name. */
  readonly pictures: Map<string, Uint8Array>;
}

export function emptyRun(): Reached {
  return { packages: new Map(), seen: [], pictures: new Map() };
}

/** What is kept of a run. */
export interface RunRecord {
  readonly packages: Readonly<Record<string, string>>;
  readonly seen: readonly Seen[];
  readonly pictures: readonly string[];
  /** Why it got no further, if it did not get where it should. */
  readonly failure?: string;
}

/** The last recorded run of each guest, by id. */
export type GuestRecords = Readonly<Record<string, RunRecord>>;

/** Below the checkout: pictures, and the records as JSON. */
export const EVIDENCE = "docs/guests";
const RECORDS = "records.json";

export function readRecords(root: string): GuestRecords {
  const path = join(root, EVIDENCE, RECORDS);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as GuestRecords) : {};
}

/** Writes records in the order of `ids`, those of other guests left out, and removes pictures that no record names. */
export function writeRecords(root: string, records: GuestRecords, ids: readonly string[]): GuestRecords {
  const directory = join(root, EVIDENCE);
  mkdirSync(directory, { recursive: true });
  const kept = Object.fromEntries(ids.flatMap((id) => (records[id] === undefined ? [] : [[id, records[id]]])));
  writeFileSync(join(directory, RECORDS), `${JSON.stringify(kept, undefined, 2)}\n`);
  const named = new Set(Object.values(kept).flatMap(({ pictures }) => pictures));
  for (const name of readdirSync(directory))
    if (name.endsWith(".png") && !named.has(name)) rmSync(join(directory, name));
  return kept;
}

/** Makes the record of a run and keeps its pictures. */
export function recordRun(root: string, { packages, seen, pictures }: Reached): RunRecord {
  mkdirSync(join(root, EVIDENCE), { recursive: true });
  for (const [name, png] of pictures) writeFileSync(join(root, EVIDENCE, name), png);
  const byName = [...packages].sort(([a], [b]) => (a < b ? -1 : 1));
  return { packages: Object.fromEntries(byName), seen: [...seen], pictures: [...pictures.keys()] };
}
