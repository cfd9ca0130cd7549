// SPDX-License-Identifier: Apache-2.0
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** The machine that measures, in one line. */
export function hostDescription(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || "unknown processor";
  return `${processors.length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`;
}

/** Load average of the last minute: 0 on a quiet host, and on systems that keep none. */
export function hostLoad(): number {
  return loadavg()[0];
}
