// SPDX-License-Identifier: Apache-2.0
import { ArchiveError, type ByteSource } from "./byte-source.js";

export type TarKind = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** One member of a tar archive. `bodyOffset` and `size` say where its content lies in the archive. */
export interface TarEntry {
  readonly path: string;
  readonly kind: TarKind;
  /** Permission bits with set-id and sticky, 0o7777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly size: number;
  readonly bodyOffset: number;
  /** Target of a symbolic link, or path of the earlier member that a hard link names. */
  readonly linkPath: string;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes from SCHILY.xattr.* records. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const BLOCK = 512;
/** Bound on a pax header or a GNU long name, both of which describe one path and a few attributes. */
const MAX_META = 1 << 20;

const KINDS: Readonly<Record<string, TarKind>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch (cause) {
    throw new ArchiveError("a name in the tar archive is not UTF-8", { cause });
  }
}

/** A number field: octal digits, or GNU base-256 when the top bit of the first byte is set. */
function number(header: Uint8Array, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  if (field[0] & 0x80) {
    let value = field[0] & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + field[i];
    if (!Number.isSafeInteger(value)) throw new ArchiveError("number out of range in a tar header");
    return value;
  }
  const digits = Buffer.from(field).toString("latin1").split("\0")[0].trim();
  if (!/^[0-7]*$/.test(digits)) throw new ArchiveError("bad number in a tar header");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** POSIX: the sum of all header bytes with the checksum field itself taken as spaces. */
function checksum(header: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i];
  return sum;
}

/** pax records: `<length> <key>=<value>\n`, where length counts the whole record (POSIX pax, "Extended Header"). */
function paxRecords(bytes: Uint8Array): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(Buffer.from(bytes.subarray(at, space)).toString("latin1"));
    if (!Number.isInteger(length) || length <= space - at + 1 || at + length > bytes.length) {
      throw new ArchiveError("bad pax record");
    }
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= at + length) throw new ArchiveError("pax record without a value");
    records.set(text(bytes.subarray(space + 1, equals)), bytes.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function xattrsOf(pax: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const prefix = "SCHILY.xattr.";
  const found = new Map<string, Uint8Array>();
  for (const [key, value] of pax) if (key.startsWith(prefix)) found.set(key.slice(prefix.length), value);
  return found;
}

/** Walks a tar archive (POSIX ustar, pax, GNU long names), headers only: no body is read. */
export async function* readTar(source: ByteSource): AsyncGenerator<TarEntry> {
  let pax: ReadonlyMap<string, Uint8Array> = new Map();
  let longName: string | undefined;
  let longLink: string | undefined;
  for (let offset = 0; offset + BLOCK <= source.size;) {
    const header = await source.read(offset, BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (number(header, 148, 8) !== checksum(header)) throw new ArchiveError(`bad tar header checksum at ${offset}`);
    const type = String.fromCharCode(header[156]);
    const paxSize = pax.get("size");
    const declared = paxSize ? Number(text(paxSize)) : number(header, 124, 12);
    const kind = KINDS[type];
    const size = kind === undefined || kind === "file" ? declared : 0;
    const bodyOffset = offset + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || bodyOffset + size > source.size) {
      throw new ArchiveError(`truncated tar member at ${offset}`);
    }
    const ustar = Buffer.from(header.subarray(257, 262)).toString("latin1") === "ustar";
    const next = bodyOffset + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x" || type === "L" || type === "K") {
      if (size > MAX_META) throw new ArchiveError("oversized tar metadata");
      const body = (await source.read(bodyOffset, size)).slice();
      if (type === "x") pax = paxRecords(body);
      else if (type === "L") longName = text(body);
      else longLink = text(body);
    } else if (kind !== undefined) {
      const field = (key: string): string | undefined => {
        const value = pax.get(key);
        return value && text(value);
      };
      const prefix = ustar && header[263] === 0x30 ? text(header.subarray(345, 500)) : "";
      const name = text(header.subarray(0, 100));
      yield {
        path: field("path") ?? longName ?? (prefix ? `${prefix}/${name}` : name),
        kind,
        mode: number(header, 100, 8) & 0o7777,
        uid: Number(field("uid") ?? number(header, 108, 8)),
        gid: Number(field("gid") ?? number(header, 116, 8)),
        mtime: Math.floor(Number(field("mtime") ?? number(header, 136, 12))),
        size,
        bodyOffset,
        linkPath: field("linkpath") ?? longLink ?? text(header.subarray(157, 257)),
        major: kind === "char" || kind === "block" ? number(header, 329, 8) : 0,
        minor: kind === "char" || kind === "block" ? number(header, 337, 8) : 0,
        xattrs: xattrsOf(pax),
      };
      pax = new Map();
      longName = longLink = undefined;
    } else if (type !== "g") {
      throw new ArchiveError(`tar member of unknown type ${JSON.stringify(type)}`);
    }
    offset = next;
  }
}
