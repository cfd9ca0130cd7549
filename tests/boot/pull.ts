// SPDX-License-Identifier: Apache-2.0
import { type CheckContext, CheckFailure, Skip } from "./check.js";
import { isola } from "./isola-process.js";

/** Errors that say that there is no archive here to take packages from, as opposed to a pull that went wrong. */
const NO_ARCHIVE = /no Debian mirror for|check the network and proxy settings/;
/** Pulls by image, so that checks which share one wait for the same. */
const pulls = new Map<string, Promise<Map<string, string>>>();

async function pull(context: CheckContext, image: string): Promise<Map<string, string>> {
  const { status, output, errors, cpu } = await isola(context, {
    name: `pull-${image.replace(":", "-")}`,
    args: ["pull", image],
  });
  if (status !== 0) {
    if (NO_ARCHIVE.test(errors)) throw new Skip(`${image} cannot be pulled: ${errors.trim().split("\n").at(-1)}`);
    throw new CheckFailure(`isola pull ${image} ended with status ${status}:\n${errors}`);
  }
  if (errors !== "") context.note(`pulled ${image}, ${cpu.toFixed(1)} s of processor time`);
  const rows = output.split("\n").map((row) => /^(\S+)\s+(.*)$/.exec(row));
  return new Map(rows.flatMap((row) => (row === null ? [] : [[row[1], row[2]]])));
}

/** Gets an image ready; resolves with what `isola pull` says of it. Throws Skip where no Debian archive is in reach. */
export function pullOrSkip(context: CheckContext, image: string): Promise<ReadonlyMap<string, string>> {
  const known = pulls.get(image) ?? pull(context, image);
  pulls.set(image, known);
  return known;
}
