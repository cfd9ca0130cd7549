// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { type HttpClient, TransportError } from "./http-client.js";
import { type RetryOptions, isTransient, retryTransport } from "./retry.js";

/** A small file whose content is not known beforehand, such as InRelease; undefined if the server has none. */
export async function fetchText(
  client: HttpClient,
  url: string,
  limit: number,
  options: RetryOptions,
): Promise<Uint8Array | undefined> {
  return retryTransport(options, () => fetchOnce(client, url, limit, options.signal));
}

async function fetchOnce(
  client: HttpClient,
  url: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { status, body } = await client.get(url, {}, signal);
  if (status === 404 || status === 410) {
    body.destroy();
    return undefined;
  }
  if (status !== 200) {
    body.destroy();
    if (isTransient(status)) throw new TransportError(`${url}: HTTP ${status}`);
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
