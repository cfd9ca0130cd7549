// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { openImageFile } from "@isola/host-node";
import { checkQcow2, type ImageCheck, probeFile, repairQcow2 } from "@isola/storage";
import { FAILURE_STATUS } from "../../verb.js";
import type { DiskAction } from "./action.js";

/** Exit status when all that was found is lost space. */
const LEAK_STATUS = 3;

function report(found: ImageCheck): string {
  const lines = found.messages.map((message) => `damaged: ${message}`);
  if (found.damages > found.messages.length) lines.push(`and ${found.damages - found.messages.length} more`);
  if (found.leaks > 0) lines.push(`${found.leaks} clusters are lost space, which does no harm; --repair frees them`);
  if (found.dirty) lines.push("its last user did not close it; it is mended when it is opened for writing");
  if (found.damages === 0 && found.leaks === 0) lines.push("no errors");
  const { allocated, clusters, compressed } = found;
  const part = clusters === 0 ? 0 : Math.round((allocated / clusters) * 1000) / 10;
  lines.push(`${allocated} of ${clusters} clusters have data (${part}%), ${compressed} of them compressed`);
  return `${lines.join("\n")}\n`;
}

export const check: DiskAction = {
  name: "check",
  synopsis: "FILE",
  least: 1,
  most: 1,
  options: { repair: { help: "mend what can be mended: refcounts and lost space, never data" } },
  async run([path], line) {
    const { name, store } = await openImageFile(path, !line.has("repair"));
    try {
      const { label, format } = await probeFile(store);
      if (format !== "qcow2")
        throw new OperatorError("disk-format", `${name} is a ${label} image; only qcow2 images can be checked`);
      if (line.has("repair")) await repairQcow2(store, name);
      const found = await checkQcow2(store, name);
      process.stdout.write(report(found));
      return found.damages > 0 ? FAILURE_STATUS : found.leaks > 0 ? LEAK_STATUS : 0;
    } finally {
      await store.close();
    }
  },
};
