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
  // Only the version: what follows it names a build, which tells nobody else anything.
  const kernel = /^[\d.]+\d/.exec(release())?.[0] ?? release();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    description: `${processors.length} × ${model}, ${memory}, ${type()} ${kernel}`,
    processors: processors.length,
  };
}

/** Load average of the last minute: 0 on a quiet host, and on systems that keep none. */
export function hostLoad(): number {
  return loadavg()[0];
}
