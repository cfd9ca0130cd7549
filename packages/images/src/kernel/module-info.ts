// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from "../archive/byte-source.js";

/** What a kernel module says of itself in its `.modinfo` section. */
export interface ModuleInfo {
  readonly name: string;
  /** Modules that must be loaded before, as `depmod` would use them. */
  readonly depends: readonly string[];
  /** Modules that should be loaded before if they exist (`softdep=pre:`), e.g. an accelerated checksum. */
  readonly softPre: readonly string[];
  /** Patterns of device and service names that this module serves. */
  readonly aliases: readonly string[];
  /** The soft dependencies as written, for `modules.softdep`. */
  readonly softdeps: readonly string[];
}

/** The bytes of the ELF section `name`, of a 32- or 64-bit little-endian object (System V ABI, chapter 4). */
function elfSection(elf: Uint8Array, name: string): Uint8Array {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.length < 64 || view.getUint32(0) !== 0x7f454c46 || elf[5] !== 1) throw new ArchiveError("not an ELF object");
  const wide = elf[4] === 2;
  const word = (at: number): number => (wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const table = wide ? word(0x28) : word(0x20);
  const entrySize = view.getUint16(wide ? 0x3a : 0x2e, true);
  const count = view.getUint16(wide ? 0x3c : 0x30, true);
  const names = view.getUint16(wide ? 0x3e : 0x32, true);
  const section = (index: number): Uint8Array => {
    const at = table + index * entrySize;
    const offset = word(at + (wide ? 0x18 : 0x10));
    const size = word(at + (wide ? 0x20 : 0x14));
    if (offset + size > elf.length) throw new ArchiveError("truncated ELF object");
    return elf.subarray(offset, offset + size);
  };
  const strings = section(names);
  const wanted = Buffer.from(`${name}\0`, "latin1");
  for (let i = 0; i < count; i++) {
    const nameOffset = view.getUint32(table + i * entrySize, true);
    if (Buffer.from(strings.subarray(nameOffset, nameOffset + wanted.length)).equals(wanted)) return section(i);
  }
  throw new ArchiveError(`no ${name} section`);
}

/** Reads a module's `.modinfo`: NUL-separated `key=value` strings. A truncated object fails as ArchiveError. */
export function readModuleInfo(elf: Uint8Array, fileName: string): ModuleInfo {
  let text: string;
  try {
    text = Buffer.from(elfSection(elf, ".modinfo")).toString("latin1");
  } catch (cause) {
    throw new ArchiveError(`${fileName} is not a kernel module`, { cause });
  }
  const values = (key: string): string[] =>
    text
      .split("\0")
      .filter((line) => line.startsWith(`${key}=`))
      .map((line) => line.slice(key.length + 1));
  const soft = values("softdep").flatMap((line) => /pre:\s*(.*?)(?:\s*post:|$)/.exec(line)?.[1].split(/\s+/) ?? []);
  const depends = values("depends").flatMap((line) => line.split(","));
  return {
    name: values("name")[0] ?? moduleName(fileName),
    depends: depends.filter((name) => name !== "").map(moduleName),
    softPre: soft.filter((name) => name !== "").map(moduleName),
    aliases: values("alias"),
    softdeps: values("softdep"),
  };
}

/** The canonical name of a module: the file name without directory and suffix, `-` written as `_`. */
export function moduleName(fileName: string): string {
  const base = fileName.slice(fileName.lastIndexOf("/") + 1);
  return base.replace(/\.ko(?:\.(?:xz|gz|zst))?$/, "").replaceAll("-", "_");
}
