// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { badArchives } from "./bad-archive.js";
import { badInput } from "./bad-input.js";
import { busyboxBoots } from "./busybox-boots.js";
import type { Check } from "./check.js";
import { controlBoots } from "./control-boots.js";
import { debianBoots } from "./debian-boots.js";
import { diskImages } from "./disk-images.js";
import { flatGuests } from "./flat-guests.js";
import { insight } from "./insight.js";
import { legacyBoots } from "./legacy-boots.js";
import { networkBoots } from "./network-boot.js";
import { pcBoots } from "./pc-boots.js";
import { runChecks } from "./run-checks.js";
import { usbBoots } from "./usb-boots.js";

/** The longest first, so that they do not run alone at the end. */
const CHECKS: readonly Check[] = [
  ...debianBoots,
  ...networkBoots,
  ...usbBoots,
  ...pcBoots,
  ...legacyBoots,
  ...busyboxBoots,
  ...controlBoots,
  ...diskImages,
  insight,
  ...badInput,
  ...badArchives,
  ...flatGuests,
];
/** Checks that run side by side: a machine keeps one processor busy. */
const MAX_MACHINES = 2;

/** Runs the checks whose names begin with one of `names`, or all of them; returns the exit status. */
export function run(root: string, names: readonly string[]): Promise<number> {
  return runChecks(root, CHECKS, names, Math.min(MAX_MACHINES, availableParallelism()));
}
