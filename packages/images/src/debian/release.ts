// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { firstParagraph } from "./control-file.js";

/** An index file as a Release file lists it. */
export interface ReleaseFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/** What a suite's Release file says (Debian repository format). */
export interface Release {
  readonly suite: string;
  readonly codename: string;
  readonly date: Date;
  readonly validUntil: Date | undefined;
  readonly acquireByHash: boolean;
  readonly files: ReadonlyMap<string, ReleaseFile>;
}

function broken(url: string, what: string): OperatorError {
  return new OperatorError(
    "MIRROR_BROKEN",
    `${url}: ${what}; try again later or set ISOLA_DEBIAN_MIRROR to another mirror`,
  );
}

/**
 * The text inside an OpenPGP clear-signed message (RFC 9580, section 7), which must be the whole file: text before or
 * after the signed part would be read but not covered by the signature.
 */
export function clearSignedText(message: string, url: string): string {
  const text = message.replaceAll("\r\n", "\n").trimEnd();
  const head = text.indexOf("\n\n");
  const signature = text.indexOf("\n-----BEGIN PGP SIGNATURE-----\n");
  const end = "\n-----END PGP SIGNATURE-----";
  const framed =
    text.startsWith("-----BEGIN PGP SIGNED MESSAGE-----\n") &&
    head > 0 &&
    signature > head &&
    text.indexOf(end) === text.length - end.length;
  const body = text.slice(head + 2, signature);
  if (!framed || /^-----/m.test(body)) throw broken(url, "not a clear-signed Release file");
  return body.replace(/^- /gm, "");
}

/** Parses the text of a Release file that came from `url`. */
export function parseRelease(text: string, url: string): Release {
  const fields = firstParagraph(text);
  const date = new Date(fields.get("date") ?? "");
  const until = fields.get("valid-until");
  const validUntil = until === undefined ? undefined : new Date(until);
  if (Number.isNaN(date.getTime()) || (validUntil && Number.isNaN(validUntil.getTime()))) {
    throw broken(url, "the Release file has no readable date");
  }
  const files = new Map<string, ReleaseFile>();
  for (const line of (fields.get("sha256") ?? "").split("\n")) {
    const [sha256, size, path] = line.trim().split(/\s+/);
    if (sha256 && path && /^[0-9a-f]{64}$/.test(sha256)) files.set(path, { path, sha256, size: Number(size) });
  }
  if (files.size === 0) throw broken(url, "the Release file lists no SHA256 hashes");
  return {
    suite: fields.get("suite") ?? "",
    codename: fields.get("codename") ?? "",
    date,
    validUntil,
    acquireByHash: fields.get("acquire-by-hash") === "yes",
    files,
  };
}

/** Refuses a Release that is for another suite, has expired, or comes from the future by more than a day. */
export function checkRelease(release: Release, suite: string, url: string, now: Date): void {
  if (release.codename !== suite && release.suite !== suite) {
    throw broken(url, `asked for ${suite}, got ${release.codename || release.suite || "a Release without a name"}`);
  }
  if (release.validUntil && release.validUntil < now) {
    const day = release.validUntil.toISOString().slice(0, 10);
    throw new OperatorError("RELEASE_EXPIRED", `${url} expired on ${day}: the mirror is stale, or this clock is wrong`);
  }
  if (release.date.getTime() > now.getTime() + 24 * 3600 * 1000) {
    const day = release.date.toISOString().slice(0, 10);
    throw new OperatorError("RELEASE_NOT_YET_VALID", `${url} is dated ${day}: set this machine's clock`);
  }
}
