// SPDX-License-Identifier: Apache-2.0
import type { RangeResponse, RangeTransport } from "@isola/ports";
import { RangeStore, type RangeStoreOptions } from "@isola/storage";

const TIMEOUT_MS = 30_000;

async function* pieces(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (piece?.value === undefined) return;
    yield piece.value;
  }
}

/** The browser's `fetch`. Another origin's server has to allow it, and to expose `Content-Range` and `ETag` (CORS). */
class FetchTransport implements RangeTransport {
  private readonly closing = new AbortController();

  constructor(readonly name: string) {}

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  async request(offset: number, length: number, ifMatch: string | null): Promise<RangeResponse> {
    const response = await fetch(this.name, {
      headers: {
        range: `bytes=${offset}-${offset + length - 1}`,
        ...(ifMatch === null ? {} : { "if-match": ifMatch }),
      },
      // What is read stays in memory; a second copy in the browser's cache only takes room.
      cache: "no-store",
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.closing.signal]),
    });
    const { body } = response;
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      body: pieces(body),
      cancel: async () => body?.cancel(),
    };
  }

  pause(delay: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.closing;
      setTimeout(() => (signal.aborted ? reject(signal.reason as Error) : resolve()), delay);
    });
  }

  close(): void {
    this.closing.abort();
  }
}

/** Opens a file on a web server, to be read by ranges. Rejects with an OperatorError if that is not possible. */
export function openUrlStore(url: string, options: RangeStoreOptions = {}): Promise<RangeStore> {
  return RangeStore.open(new FetchTransport(url), options);
}
