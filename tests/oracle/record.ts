// SPDX-License-Identifier: Apache-2.0
// Makes the recorded vector files anew: `node tests/oracle/main.mjs record`.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { NativeHarness } from "./native-harness.js";
import { recordedPath } from "./recorded-files.js";

const VECTORS = 7000;
const SEED = 2026;

/** Records both modes; returns the process exit code. */
export async function record(): Promise<number> {
  const harness = NativeHarness.build();
  if (typeof harness === "string") {
    process.stderr.write(`cannot record vectors: ${harness}\n`);
    return 1;
  }
  for (const mode of [64, 32] as const) {
    const path = recordedPath(mode);
    const packed = gzipSync(await harness.generate({ mode, seed: SEED, count: VECTORS }), {
      level: constants.Z_BEST_COMPRESSION,
    });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, packed);
    process.stdout.write(`${path}: ${VECTORS} vectors, ${packed.length} bytes\n`);
  }
  return 0;
}
