// SPDX-License-Identifier: Apache-2.0
/** What a regular file holds: bytes in memory, or a range of a file on the host (an unpacked archive). */
export type FileContent =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly length: number }
  | { readonly kind: "range"; readonly path: string; readonly offset: number; readonly length: number };

/** Content from bytes, or from text as UTF-8. */
export function bytesContent(data: Uint8Array | string): FileContent {
  const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
  return { kind: "bytes", bytes, length: bytes.length };
}
