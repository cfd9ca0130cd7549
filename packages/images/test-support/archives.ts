// SPDX-License-Identifier: Apache-2.0
import { gzipSync, zstdCompressSync } from "node:zlib";

/** A member for {@link makeTar}; `type` is the ustar type flag. */
export interface TarMember {
  readonly path: string;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly mode?: number;
  readonly link?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly pax?: Readonly<Record<string, string>>;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function header(member: TarMember, size: number): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write(member.path.slice(0, 100), 0, "utf8");
  bytes.write(octal(member.mode ?? 0o644, 8), 100, "latin1");
  bytes.write(octal(0, 8), 108, "latin1");
  bytes.write(octal(0, 8), 116, "latin1");
  bytes.write(octal(size, 12), 124, "latin1");
  bytes.write(octal(1_700_000_000, 12), 136, "latin1");
  bytes.fill(" ", 148, 156, "latin1");
  bytes.write(member.type ?? "0", 156, "latin1");
  bytes.write(member.link ?? "", 157, "utf8");
  bytes.write("ustar\x0000", 257, "latin1");
  bytes.write(octal(member.major ?? 0, 8), 329, "latin1");
  bytes.write(octal(member.minor ?? 0, 8), 337, "latin1");
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest);
  return `${length}${rest}`;
}

/** A ustar archive. */
export function makeTar(members: readonly TarMember[]): Buffer {
  const parts: Buffer[] = [];
  for (const member of members) {
    if (member.pax) {
      const body = Buffer.from(
        Object.entries(member.pax)
          .map(([key, value]) => paxRecord(key, value))
          .join(""),
        "latin1",
      );
      parts.push(header({ path: "pax", type: "x" }, body.length), padded(body));
    }
    const body = Buffer.from(member.body ?? "");
    parts.push(header(member, body.length), padded(body));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** An `ar` archive of named members. */
export function makeAr(members: readonly (readonly [name: string, body: Uint8Array])[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from("!<arch>\n")];
  for (const [name, body] of members) {
    const fields = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}`;
    parts.push(Buffer.from(`${fields}${String(body.length).padEnd(10)}\`\n`, "latin1"), body);
    if (body.length & 1) parts.push(Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}

export interface DebInput {
  readonly control: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly files: readonly TarMember[];
  readonly compression?: "gz" | "zst" | "none";
}

/** A .deb file. */
export function makeDeb({ control, scripts, files, compression = "gz" }: DebInput): Buffer {
  const members = Object.entries(scripts ?? {}).map(([name, body]): TarMember => {
    return { path: `./${name}`, body, mode: body.startsWith("#!") ? 0o755 : 0o644 };
  });
  const controlTar = makeTar([
    { path: "./", type: "5", mode: 0o755 },
    { path: "./control", body: control },
    ...members,
  ]);
  const dataTar = makeTar(files);
  const data = compression === "gz" ? gzipSync(dataTar) : compression === "zst" ? zstdCompressSync(dataTar) : dataTar;
  return makeAr([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync(controlTar)],
    [compression === "none" ? "data.tar" : `data.tar.${compression}`, data],
  ]);
}

/**
 * A kernel module of which only the `.modinfo` section is real: a 64-bit relocatable ELF object. As in real ones, an
 * uninitialised section is larger than the file.
 */
export function makeModule(info: readonly string[]): Buffer {
  const modinfo = Buffer.from(`${info.join("\0")}\0`, "latin1");
  const names = Buffer.from("\0.modinfo\0.shstrtab\0.bss\0", "latin1");
  const table = 64 + modinfo.length + names.length;
  const bytes = Buffer.alloc(table + 4 * 64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeBigUInt64LE(BigInt(table), 0x28);
  bytes.writeUInt16LE(64, 0x3a);
  bytes.writeUInt16LE(4, 0x3c);
  bytes.writeUInt16LE(3, 0x3e);
  modinfo.copy(bytes, 64);
  names.copy(bytes, 64 + modinfo.length);
  const section = (index: number, name: number, offset: number, size: number): void => {
    const at = table + index * 64;
    bytes.writeUInt32LE(name, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 0x18);
    bytes.writeBigUInt64LE(BigInt(size), at + 0x20);
  };
  section(1, 20, 64, 1 << 20);
  section(2, 1, 64, modinfo.length);
  section(3, 10, 64 + modinfo.length, names.length);
  return bytes;
}
