// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from "node:timers/promises";
import { OperatorError } from "@isola/base";
import { TransportError } from "./http-client.js";

export interface RetryOptions {
  readonly signal?: AbortSignal;
  /** Wait before the second attempt in milliseconds, 500 by default; doubles each time. */
  readonly retryDelay?: number;
}

const ATTEMPTS = 5;

/** An answer that may change if asked again: timeouts, overload, and errors of a proxy or mirror. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Repeats `action` while the connection is at fault; any other error, and an abort, end it at once. */
export async function retryTransport<T>(options: RetryOptions, action: () => Promise<T>): Promise<T> {
  const { signal, retryDelay = 500 } = options;
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!(error instanceof TransportError)) throw error;
      if (tries === ATTEMPTS) {
        const message = `${error.message} (${ATTEMPTS} attempts): check the network and proxy settings`;
        throw new OperatorError("MIRROR_UNREACHABLE", message, { cause: error });
      }
    }
    await delay(retryDelay * 2 ** (tries - 1), undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}
