// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { badArchives } from "./bad-archive.js";
import { badInput } from "./bad-input.js";
import { busyboxBoots } from "./busybox-boots.js";
import { GUESTS } from "./catalogue/list.js";
import { guestCheck, recordedCheck } from "./catalogue/run-guest.js";
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
  ...GUESTS.map(guestCheck),
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
/** With this option guests run, all of them or those that are named, and docs/guests.md is written. */
const RECORD = "--record";
/** Checks that run side by side: a machine keeps one processor busy. */
const MAX_MACHINES = 2;

/**
 * Runs the checks whose names begin with one of the arguments, or all that do not take minutes; returns the exit status.
 * After `--record`, guests of the catalogue only, all of them if none is named.
 */
export function run(root: string, args: readonly string[]): Promise<number> {
  const lanes = Math.min(MAX_MACHINES, availableParallelism());
  if (args[0] !== RECORD) return runChecks(root, CHECKS, args, lanes);
  const recorded = GUESTS.map((guest) => recordedCheck(guest, GUESTS));
  return runChecks(root, recorded, args.slice(1), lanes);
}
