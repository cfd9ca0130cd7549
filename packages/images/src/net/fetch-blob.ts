// SPDX-License-Identifier: Apache-2.0
import { open, rename, rm, stat } from "node:fs/promises";
import { OperatorError } from "@isola/base";
import { type ImageCache, sha256OfFile } from "../cache/image-cache.js";
import { hostError } from "../host-error.js";
import { type HttpClient, TransportError } from "./http-client.js";
import { type RetryOptions, isTransient, retryTransport } from "./retry.js";

/** A file whose content is known beforehand. */
export interface BlobRequest {
  readonly url: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface FetchOptions extends RetryOptions {
  /** Called with the number of bytes that arrived since the last call; negative when a download starts over. */
  readonly onBytes?: (count: number) => void;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
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
    if (isTransient(status)) throw new TransportError(`${request.url}: HTTP ${status}`);
    if (status === 404 || status === 410) {
      throw new OperatorError(
        "MIRROR_NOT_FOUND",
        `${request.url}: HTTP ${status}; pull again for a fresh index, or set ISOLA_DEBIAN_MIRROR`,
      );
    }
    throw new OperatorError(
      "MIRROR_BROKEN",
      `${request.url}: HTTP ${status}; set ISOLA_DEBIAN_MIRROR to another mirror`,
    );
  }
  const whole = status === 206 ? /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1] : headers["content-length"];
  if (whole !== undefined && Number(whole) !== request.size) {
    body.destroy();
    throw new OperatorError(
      "HASH_MISMATCH",
      `${request.url}: ${whole} bytes, its index says ${request.size}; the mirror may be in the middle of an update`,
    );
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
        throw new OperatorError(
          "HASH_MISMATCH",
          `${request.url}: longer than the ${request.size} bytes that its index says`,
        );
      }
      for (let done = 0; done < chunk.length;) {
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
  if (position < request.size)
    throw new TransportError(`${request.url}: ended after ${position} of ${request.size} bytes`);
}

/**
 * Brings a blob into the cache and returns its path there. An interrupted download goes on where it stopped, in this
 * run or a later one. The bytes count as arrived only if their SHA-256 is the expected one.
 */
export async function fetchBlob(
  client: HttpClient,
  cache: ImageCache,
  request: BlobRequest,
  options: FetchOptions,
): Promise<string> {
  const { signal, onBytes } = options;
  const known = await cache.findBlob(request.sha256, signal);
  if (known) {
    onBytes?.(request.size);
    return known;
  }
  const partial = await cache.claimPartial(request.sha256);
  try {
    let resumed = await sizeOf(partial.path);
    if (resumed > 0) onBytes?.(Math.min(resumed, request.size));
    await retryTransport(options, async () => {
      await attempt(client, request, partial.path, options);
      if ((await sha256OfFile(partial.path, signal)) === request.sha256) return;
      await rm(partial.path, { force: true });
      onBytes?.(-request.size);
      if (resumed === 0) {
        throw new OperatorError(
          "HASH_MISMATCH",
          `${request.url}: not the bytes that its index promises; the mirror is broken or tampered with`,
        );
      }
      // What an earlier run had left may have been of another version: that is no fault of the server.
      resumed = 0;
      throw new TransportError(`${request.url}: the part from an earlier run does not fit`);
    });
    const target = cache.blobPath(request.sha256);
    await rename(partial.path, target);
    return target;
  } catch (error) {
    await partial.release();
    if (signal?.aborted) throw signal.reason;
    throw hostError(error, cache.root);
  }
}
