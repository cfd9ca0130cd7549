// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** Called with how many bytes have come, of how many; 0 if the server does not say. */
export type FetchProgress = (done: number, total: number) => void;

/** Fetches a whole file, such as a kernel. Rejects with an OperatorError of one line. */
export async function fetchFile(url: string, onProgress: FetchProgress = () => {}): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new OperatorError("http-error", `cannot fetch ${url}: the server does not answer`, { cause });
  }
  if (!response.ok) throw new OperatorError("http-error", `cannot fetch ${url}: the server answers ${response.status}`);
  // A length that counts compressed bytes would be of no use.
  const coded = response.headers.get("content-encoding") !== null;
  const total = coded ? 0 : Number(response.headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let done = 0;
  try {
    const reader = response.body?.getReader();
    for (;;) {
      const piece = await reader?.read();
      if (piece?.value === undefined) break;
      chunks.push(piece.value);
      done += piece.value.length;
      onProgress(done, total);
    }
  } catch (cause) {
    throw new OperatorError("http-error", `cannot fetch ${url}: the connection broke`, { cause });
  }
  const whole = new Uint8Array(done);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
