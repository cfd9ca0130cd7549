// SPDX-License-Identifier: Apache-2.0
import { open, rename, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { OperatorError } from "@isola/base";
import { type ImageCache, sha256OfFile } from "../cache/image-cache.js";
import { hostError } from "../host-error.js";
import { type HttpClient, TransportError } from "./http-client.js";

/** A file whose content is known beforehand. */
export interface BlobRequest {
  readonly url: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface FetchOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of bytes that arrived since the last call; negative when a download starts over. */
  readonly onBytes?: (count: number) => void;
  /** Wait before the second attempt in milliseconds; doubles each time. */
  readonly retryDelay?: number;
}

const ATTEMPTS = 5;

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** An answer that may change if asked again: timeouts, overload, and errors of a proxy or mirror. */
function transient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** One attempt: appends to the partial file what the server still has to send. */
async function attempt(client: HttpClient, request: BlobRequest, path: string, options: FetchOptions): Promise<void> {
  const have = await sizeOf(path);
  if (have === request.size) return;
  const start = have < request.size ? have : 0;
  const response = await client.get(request.url, start > 0 ? { range: `bytes=${start}-` } : {}, options.signal);
  const { status, headers, body } = response;
  if (status !== 200 && status !== 206) {
    body.destroy();
    if (status === 416) {
      await rm(path, { force: true });
      options.onBytes?.(-start);
      throw new TransportError(`${request.url}: the server refuses to resume`);
    }
    if (transient(status)) throw new TransportError(`${request.url}: HTTP ${status}`);
    if (status === 404 || status === 410) {
      throw new OperatorError("MIRROR_NOT_FOUND", `${request.url}: HTTP ${status}; pull again for a fresh index, or set ISOLA_DEBIAN_MIRROR`);
    }
    throw new OperatorError("MIRROR_BROKEN", `${request.url}: HTTP ${status}; set ISOLA_DEBIAN_MIRROR to another mirror`);
  }
  const whole = status === 206 ? /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1] : headers["content-length"];
  if (whole !== undefined && Number(whole) !== request.size) {
    body.destroy();
    throw new OperatorError("HASH_MISMATCH", `${request.url}: ${whole} bytes, but its index says ${request.size}; the mirror may be in the middle of an update`);
  }
  const resumed = status === 206 && start > 0 && (headers["content-range"] ?? "").startsWith(`bytes ${start}-`);
  if (status === 206 && !resumed) {
    body.destroy();
    await rm(path, { force: true });
    throw new TransportError(`${request.url}: answered another range than asked`);
  }
  if (start > 0 && !resumed) options.onBytes?.(-start);
  let position = resumed ? start : 0;
  const file = await open(path, resumed ? "r+" : "w");
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (position + chunk.length > request.size) {
        body.destroy();
        await file.truncate(0);
        throw new OperatorError("HASH_MISMATCH", `${request.url}: longer than the ${request.size} bytes that its index says`);
      }
      for (let done = 0; done < chunk.length; ) {
        done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
      }
      position += chunk.length;
      options.onBytes?.(chunk.length);
    }
    await file.sync();
  } catch (cause) {
    if (options.signal?.aborted) throw options.signal.reason;
    const failure = hostError(cause, path);
    if (failure instanceof OperatorError) throw failure;
    throw new TransportError(`${request.url}: the connection broke`, { cause });
  } finally {
    await file.close();
  }
  if (position < request.size) throw new TransportError(`${request.url}: ended after ${position} of ${request.size} bytes`);
}

/**
 * Brings a blob into the cache and returns its path there. An interrupted download goes on where it stopped, in this
 * run or a later one. The bytes count as arrived only if their SHA-256 is the expected one.
 */
export async function fetchBlob(client: HttpClient, cache: ImageCache, request: BlobRequest, options: FetchOptions): Promise<string> {
  const { signal, onBytes } = options;
  const known = await cache.findBlob(request.sha256, signal);
  if (known) {
    onBytes?.(request.size);
    return known;
  }
  const partial = await cache.claimPartial(request.sha256);
  try {
    let resumedFrom = await sizeOf(partial.path);
    if (resumedFrom > 0) onBytes?.(Math.min(resumedFrom, request.size));
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted();
      try {
        await attempt(client, request, partial.path, options);
        if ((await sha256OfFile(partial.path, signal)) === request.sha256) break;
        await rm(partial.path, { force: true });
        onBytes?.(-request.size);
        // What an earlier run had left may have been of another version: one more try from the start.
        if (resumedFrom === 0) {
          throw new OperatorError("HASH_MISMATCH", `${request.url}: not the bytes that its index promises; the mirror is broken or tampered with`);
        }
        resumedFrom = 0;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (tries === ATTEMPTS) {
          throw new OperatorError("MIRROR_UNREACHABLE", `${error.message} (${ATTEMPTS} attempts): check the network and proxy settings`, { cause: error });
        }
        await delay((options.retryDelay ?? 500) * 2 ** (tries - 1), undefined, signal ? { signal } : {});
      }
    }
    const target = cache.blobPath(request.sha256);
    await rename(partial.path, target);
    return target;
  } catch (error) {
    await partial.release();
    if (signal?.aborted) throw signal.reason;
    throw hostError(error, cache.root);
  }
}

/** A small file whose content is not known beforehand, such as InRelease; undefined if the server has none. */
export async function fetchText(
  client: HttpClient,
  url: string,
  limit: number,
  options: FetchOptions,
): Promise<Uint8Array | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await fetchOnce(client, url, limit, options.signal);
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (!(error instanceof TransportError)) throw error;
      if (tries === ATTEMPTS) {
        throw new OperatorError("MIRROR_UNREACHABLE", `${error.message} (${ATTEMPTS} attempts): check the network and proxy settings`, { cause: error });
      }
      await delay((options.retryDelay ?? 500) * 2 ** (tries - 1), undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}

async function fetchOnce(client: HttpClient, url: string, limit: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  const { status, body } = await client.get(url, {}, signal);
  if (status === 404 || status === 410) {
    body.destroy();
    return undefined;
  }
  if (status !== 200) {
    body.destroy();
    if (transient(status)) throw new TransportError(`${url}: HTTP ${status}`);
    throw new OperatorError("MIRROR_BROKEN", `${url}: HTTP ${status}; set ISOLA_DEBIAN_MIRROR to another mirror`);
  }
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      total += chunk.length;
      if (total > limit) throw new OperatorError("MIRROR_BROKEN", `${url}: larger than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new TransportError(`${url}: the connection broke`, { cause });
  }
  return Buffer.concat(chunks);
}
