// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { repositoryRoot } from "./native-harness.js";

/** Where the vectors live that were recorded in advance, for machines without a compiler or with another CPU. */
export function recordedPath(mode: 32 | 64): string {
  return join(repositoryRoot(), "tests/oracle/recorded", `vectors-${mode}.vec.gz`);
}

/** Reads a vector file from disk, compressed or not. */
export function readVectorBytes(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}
