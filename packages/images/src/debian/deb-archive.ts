// SPDX-License-Identifier: Apache-2.0
import { createReadStream, createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { listArMembers } from "../archive/ar.js";
import { ArchiveError, FileSource, MemorySource } from "../archive/byte-source.js";
import { compressionOf, decompressed } from "../archive/decompress.js";
import { memberPathComponents } from "../archive/member-path.js";
import { readTar } from "../archive/tar.js";

/** A file of a package's control archive: `control`, `postinst`, `conffiles`, ... */
export interface ControlMember {
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/** No package of a Linux distribution expands to more; a bomb stops here (bytes). */
const MAX_DATA = 8 * 2 ** 30;
const MAX_CONTROL = 64 * 2 ** 20;

/** A .deb file, deb(5): an ar archive of `debian-binary`, `control.tar.*` and `data.tar.*`. */
export class DebArchive {
  private constructor(
    private readonly path: string,
    private readonly members: ReadonlyMap<string, { name: string; offset: number; size: number }>,
  ) {}

  static async open(path: string): Promise<DebArchive> {
    const source = await FileSource.open(path);
    try {
      const members = await listArMembers(source);
      const first = members[0];
      if (first?.name !== "debian-binary" || first.size > 64) throw new ArchiveError("not a Debian package");
      const version = Buffer.from(await source.read(first.offset, first.size)).toString("latin1");
      if (!version.startsWith("2.")) throw new ArchiveError(`package format ${JSON.stringify(version.trim())}`);
      const stems = members.map((member): [string, typeof member] => [member.name.replace(/\.tar.*$/, ""), member]);
      return new DebArchive(path, new Map(stems));
    } finally {
      await source.close();
    }
  }

  /** The maintainer scripts and tables. */
  async control(signal?: AbortSignal): Promise<Map<string, ControlMember>> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.plain("control", MAX_CONTROL)) {
      signal?.throwIfAborted();
      chunks.push(chunk as Uint8Array);
    }
    const source = new MemorySource(Buffer.concat(chunks));
    const found = new Map<string, ControlMember>();
    for await (const entry of readTar(source)) {
      const [name, ...rest] = memberPathComponents(entry.path);
      if (entry.kind !== "file" || name === undefined || rest.length > 0) continue;
      found.set(name, { name, mode: entry.mode, bytes: await source.read(entry.bodyOffset, entry.size) });
    }
    return found;
  }

  /** Writes the plain data archive to `target`, which the caller owns and removes. */
  async unpackData(target: string, signal?: AbortSignal): Promise<void> {
    await pipeline(this.plain("data", MAX_DATA), createWriteStream(target), signal ? { signal } : {});
  }

  private plain(stem: string, limit: number): Readable {
    const member = this.members.get(stem);
    const compression = member && compressionOf(member.name);
    if (!member || !compression) throw new ArchiveError(`no readable ${stem}.tar in the package`);
    if (member.size === 0) throw new ArchiveError(`empty ${stem}.tar in the package`);
    const range = { start: member.offset, end: member.offset + member.size - 1 };
    return decompressed(createReadStream(this.path, range), compression, limit);
  }
}
