// SPDX-License-Identifier: Apache-2.0
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  sign,
} from "node:crypto";
import { createCipheriv, type KeyObject } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDeb, makeTar, type TarMember } from "../../packages/images/test-support/archives.js";

/** The bytes that guests hash and encrypt; checks.py and checks.pl make the same. */
export const DATA: Buffer = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const sequence = (start: number, length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => start + i));

function encrypted(cipher: string, key: Buffer, iv: Buffer | null): string {
  const stream = createCipheriv(cipher, key, iv);
  return sha256(Buffer.concat([stream.update(DATA), stream.final()]));
}

function pem(key: KeyObject): string {
  const type = key.type === "private" ? ("pkcs8" as const) : ("spki" as const);
  return key.export({ type, format: "pem" }).toString();
}

/** Fresh keys for the guest, and what `guest/openssl.sh` prints when it uses them, by this host's OpenSSL. */
export function opensslCase(): { files: TarMember[]; output: string } {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ed25519 = generateKeyPairSync("ed25519");
  const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const x25519 = generateKeyPairSync("x25519");
  const peer = generateKeyPairSync("x25519");
  const digests = ["md5", "sha1", "sha256", "sha512", "sha3-256", "blake2b512", "ripemd160"];
  const key = sequence(0, 32);
  const iv = sequence(0xf0, 16);
  const ciphers = ["aes-256-cbc", "aes-256-ctr", "chacha20", "camellia-256-cbc"];
  const shared = diffieHellman({
    privateKey: createPrivateKey(pem(x25519.privateKey)),
    publicKey: createPublicKey(pem(peer.publicKey)),
  });
  const lines = [
    ...digests.map((name) => `${name} ${createHash(name).update(DATA).digest("hex")}`),
    `hmac ${createHmac("sha256", "secret").update(DATA).digest("hex")}`,
    ...ciphers.map((name) => `${name} ${encrypted(name, key, iv)}`),
    `aes-128-ecb ${encrypted("aes-128-ecb", sequence(0, 16), null)}`,
    `rsa ${sha256(sign("sha256", DATA, rsa.privateKey))}`,
    `ed25519 ${sha256(sign(null, DATA, ed25519.privateKey))}`,
    "Verified OK",
    `x25519 ${sha256(shared)}`,
    "Verified OK",
    "prime is prime",
  ];
  const files = [
    { path: "data", body: DATA },
    { path: "rsa.pem", body: pem(rsa.privateKey) },
    { path: "ed25519.pem", body: pem(ed25519.privateKey) },
    { path: "ec-public.pem", body: pem(ec.publicKey) },
    { path: "ec.sig", body: sign("sha256", DATA, ec.privateKey) },
    { path: "x25519.pem", body: pem(x25519.privateKey) },
    { path: "x25519-peer.pem", body: pem(peer.publicKey) },
  ];
  return { files, output: lines.join("\n") };
}

/** A package whose maintainer script leaves a trace. */
function helloPackage(): Buffer {
  return makeDeb({
    control:
      "Package: isola-hello\nVersion: 1.2-3\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDepends: dash\nDescription: says hello\n",
    scripts: {
      postinst: '#!/bin/sh\nset -e\necho "$1" > /var/lib/isola-hello\n',
      conffiles: "/etc/isola-hello.conf\n",
    },
    files: [
      { path: "./", type: "5", mode: 0o755 },
      { path: "./etc/", type: "5", mode: 0o755 },
      { path: "./etc/isola-hello.conf", body: "greeting=hello\n" },
      { path: "./usr/", type: "5", mode: 0o755 },
      { path: "./usr/bin/", type: "5", mode: 0o755 },
      {
        path: "./usr/bin/isola-hello",
        mode: 0o755,
        body: '#!/bin/sh\n. /etc/isola-hello.conf\necho "$greeting from $(uname -m)"\n',
      },
    ],
  });
}

/** Writes a disk image that is a tar archive: the scripts of `guest/`, a package, and `files`. Returns its path. */
export function writePayload(root: string, scratch: string, files: readonly TarMember[]): string {
  const guest = join(root, "tests/boot/guest");
  const scripts = readdirSync(guest).map((name) => ({ path: name, body: readFileSync(join(guest, name)) }));
  const path = join(scratch, "payload.tar");
  writeFileSync(path, makeTar([...scripts, { path: "isola-hello.deb", body: helloPackage() }, ...files]));
  return path;
}

/** What a script of `guest/` prints on a real processor. */
export function recordedOutput(root: string, name: string): string {
  return readFileSync(join(root, "tests/boot/guest", `${name}.out`), "utf8").trimEnd();
}
