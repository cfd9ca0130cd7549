// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { OperatorError } from "@isola/base";
import { type Compression, compressionOf, decompressed } from "../archive/decompress.js";
import type { ImageCache } from "../cache/image-cache.js";
import { archiveFailure } from "../host-error.js";
import { fetchBlob } from "../net/fetch-blob.js";
import { fetchText } from "../net/fetch-text.js";
import type { HttpClient } from "../net/http-client.js";
import type { ProgressListener } from "../progress.js";
import type { ArchiveSuite } from "./archive-suites.js";
import { PackageIndex } from "./package-index.js";
import { type Release, type ReleaseFile, checkRelease, clearSignedText, parseRelease } from "./release.js";
import { verifyClearSigned } from "./signature.js";

export interface RepositoryContext {
  readonly client: HttpClient;
  readonly cache: ImageCache;
  readonly signal?: AbortSignal;
  readonly progress: ProgressListener;
  /** Wait before the second attempt of a request in milliseconds. */
  readonly retryDelay?: number;
  readonly now?: Date;
}

/** An InRelease file of a whole distribution is below 1 MiB. */
const MAX_RELEASE = 16 << 20;
/** The `Packages` file of Debian's main is about 50 MiB. */
const MAX_INDEX = 1 << 30;

async function fetchRelease(context: RepositoryContext, source: ArchiveSuite): Promise<Release | undefined> {
  const { client, signal, progress } = context;
  const url = `${source.archive}/dists/${source.suite}/InRelease`;
  const bytes = await fetchText(client, url, MAX_RELEASE, context);
  if (!bytes) {
    const advice = "the mirror does not carry this suite; set ISOLA_DEBIAN_MIRROR to one that does";
    if (!source.optional) throw new OperatorError("MIRROR_NOT_FOUND", `${url}: HTTP 404; ${advice}`);
    progress({
      step: "release",
      done: 0,
      total: 0,
      warning: `${source.suite} is missing at ${source.archive}: going on without its updates`,
    });
    return undefined;
  }
  if (source.trusted) {
    progress({
      step: "release",
      done: 0,
      total: 0,
      warning: `NOT VERIFIED: ${url} (its apt source is marked as trusted)`,
    });
  } else {
    const result = await verifyClearSigned(bytes, source.keyring, url, signal);
    if (result.state === "unverified") {
      progress({
        step: "release",
        done: 0,
        total: 0,
        warning: `NOT VERIFIED: the signature of ${url} (${result.reason})`,
      });
    }
  }
  const release = parseRelease(clearSignedText(Buffer.from(bytes).toString("utf8"), url), url);
  checkRelease(release, source.suite, url, context.now ?? new Date());
  return release;
}

/** Where an index file may be asked for: by its hash first, which cannot change under us, then by its name. */
function indexUrls(source: ArchiveSuite, release: Release, file: ReleaseFile): string[] {
  const base = `${source.archive}/dists/${source.suite}`;
  const plain = `${base}/${file.path}`;
  const directory = file.path.slice(0, file.path.lastIndexOf("/"));
  return release.acquireByHash ? [`${base}/${directory}/by-hash/SHA256/${file.sha256}`, plain] : [plain];
}

async function fetchIndex(
  context: RepositoryContext,
  source: ArchiveSuite,
  release: Release,
  architecture: string,
): Promise<string> {
  const stem = `${source.component}/binary-${architecture}/Packages`;
  const files = [`${stem}.xz`, `${stem}.gz`, stem]
    .map((path) => release.files.get(path))
    .filter((file) => file !== undefined);
  if (files.length === 0) {
    throw new OperatorError(
      "MIRROR_NOT_FOUND",
      `${source.archive} ${source.suite} has no packages for ${architecture}`,
    );
  }
  let failure: unknown;
  for (const file of files) {
    for (const url of indexUrls(source, release, file)) {
      let done = 0;
      const onBytes = (count: number): void => {
        done += count;
        context.progress({ step: "index", done, total: file.size });
      };
      try {
        const path = await fetchBlob(context.client, context.cache, { url, ...file }, { ...context, onBytes });
        return await readIndex(path, compressionOf(file.path) ?? "none");
      } catch (error) {
        // A mirror in the middle of an update may lack one form of the index and still have another.
        const code = error instanceof OperatorError ? error.code : "";
        if (code !== "MIRROR_NOT_FOUND" && code !== "HASH_MISMATCH") throw error;
        failure ??= error;
      }
    }
  }
  throw failure;
}

async function readIndex(path: string, compression: Compression): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decompressed(createReadStream(path), compression, MAX_INDEX))
      chunks.push(chunk as Uint8Array);
  } catch (error) {
    throw archiveFailure(error, path);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Fetches, checks and joins the package indices of the given suites for one architecture. */
export async function loadPackageIndex(
  context: RepositoryContext,
  sources: readonly ArchiveSuite[],
  architecture: string,
): Promise<PackageIndex> {
  const index = new PackageIndex();
  let done = 0;
  for (const source of sources) {
    context.signal?.throwIfAborted();
    context.progress({ step: "release", done, total: sources.length });
    const release = await fetchRelease(context, source);
    if (release) index.add(await fetchIndex(context, source, release, architecture), source.archive);
    done++;
  }
  context.progress({ step: "release", done, total: sources.length });
  return index;
}
