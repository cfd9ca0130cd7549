// SPDX-License-Identifier: Apache-2.0
import { fetchBlob } from "../net/fetch-blob.js";
import type { PackageRecord } from "./package-index.js";
import type { RepositoryContext } from "./repository.js";

const PARALLEL = 4;

/** Brings the packages into the cache, four at a time; the paths of the .debs by package name. */
export async function downloadPackages(
  context: RepositoryContext,
  packages: readonly PackageRecord[],
): Promise<Map<string, string>> {
  const total = packages.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    context.progress({ step: "download", done, total });
  };
  // The first failure stops the other workers, whose partial files stay for the next attempt.
  const stop = new AbortController();
  const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal;
  const paths = new Map<string, string>();
  const queue = [...packages];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item; item = queue.shift()) {
      const url = `${item.archive}/${item.filename.split("/").map(encodeURIComponent).join("/")}`;
      const request = { url, sha256: item.sha256, size: item.size };
      paths.set(item.name, await fetchBlob(context.client, context.cache, request, { ...context, signal, onBytes }));
    }
  };
  let failure: unknown;
  const guarded = async (): Promise<void> => {
    try {
      await worker();
    } catch (error) {
      if (!stop.signal.aborted) failure = error;
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, guarded));
  context.signal?.throwIfAborted();
  if (failure !== undefined) throw failure;
  return paths;
}
