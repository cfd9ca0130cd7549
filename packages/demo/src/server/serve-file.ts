// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname } from "node:path";

const TYPES: { readonly [extension: string]: string } = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** One range, as `bytes=FIRST-LAST` or `bytes=FIRST-` (RFC 9110, 14.1.2). */
const RANGE = /^bytes=(\d{1,15})-(\d{0,15})$/;

function end(response: ServerResponse, status: number, headers: { readonly [name: string]: string } = {}): void {
  response.writeHead(status, headers).end();
}

/** Answers a request for a file, or one range of it. The file is on disk and changes seldom. */
export async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  address: string,
  path: string,
): Promise<void> {
  const file = await open(path, "r");
  try {
    const { size, mtimeMs } = await file.stat();
    const etag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
    const headers = {
      "content-type": TYPES[extname(address)] ?? "application/octet-stream",
      "accept-ranges": "bytes",
      "cache-control": "no-cache",
      etag,
    };
    const expected = request.headers["if-match"];
    if (expected !== undefined && expected !== "*" && expected !== etag) return end(response, 412);
    if (request.headers["if-none-match"] === etag) return end(response, 304, headers);
    let [first, last, status] = [0, size - 1, 200];
    const range = RANGE.exec(request.headers.range ?? "");
    if (range !== null) {
      first = Number(range[1]);
      last = range[2] === "" ? last : Math.min(last, Number(range[2]));
      if (first > last) return end(response, 416, { "content-range": `bytes */${size}` });
      status = 206;
    }
    const about = status === 206 ? { "content-range": `bytes ${first}-${last}/${size}` } : {};
    response.writeHead(status, { ...headers, ...about, "content-length": String(last - first + 1) });
    if (request.method === "HEAD" || size === 0) return void response.end();
    await new Promise<void>((resolve) => {
      const stream = createReadStream("", { fd: file.fd, autoClose: false, start: first, end: last });
      stream.on("error", () => response.destroy());
      response.on("close", () => {
        stream.destroy();
        resolve();
      });
      stream.pipe(response);
    });
  } finally {
    await file.close();
  }
}
