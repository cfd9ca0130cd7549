// SPDX-License-Identifier: Apache-2.0
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** The machine that measures. */
export interface Host {
  /** One line. */
  readonly description: string;
  readonly processors: number;
}

export function describeHost(): Host {
  const processors = cpus();
  const model = processors[0]?.model.trim() || "unknown processor";
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    description: `${processors.length} × ${model}, ${memory}, ${type()} ${release()}`,
    processors: processors.length,
  };
}

/** Load average of the last minute: 0 on a quiet host, and on systems that keep none. */
export function hostLoad(): number {
  return loadavg()[0];
}
