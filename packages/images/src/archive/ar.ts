// SPDX-License-Identifier: Apache-2.0
import { ArchiveError, type ByteSource } from "./byte-source.js";

/** One member of an `ar` archive: where its bytes lie in the archive file. */
export interface ArMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const MAGIC = "!<arch>\n";
const HEADER = 60;
/** A .deb has three members; far more than that is not a package. */
const MAX_MEMBERS = 64;

/** The members of a `ar` archive as deb(5) restricts it: plain names of up to 16 characters, no symbol tables. */
export async function listArMembers(source: ByteSource): Promise<ArMember[]> {
  const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  if (source.size < MAGIC.length || latin1(await source.read(0, MAGIC.length)) !== MAGIC) {
    throw new ArchiveError("not an ar archive");
  }
  const members: ArMember[] = [];
  let offset = MAGIC.length;
  while (offset < source.size) {
    if (members.length === MAX_MEMBERS) throw new ArchiveError("too many members in the ar archive");
    const header = latin1(await source.read(offset, HEADER));
    const sizeField = header.slice(48, 58).trim();
    if (header.slice(58) !== "`\n" || !/^\d{1,10}$/.test(sizeField)) {
      throw new ArchiveError(`bad ar member header at ${offset}`);
    }
    const size = Number(sizeField);
    const start = offset + HEADER;
    if (start + size > source.size) throw new ArchiveError("truncated ar member");
    members.push({ name: header.slice(0, 16).trimEnd().replace(/\/$/, ""), offset: start, size });
    offset = start + size + (size & 1);
  }
  return members;
}
