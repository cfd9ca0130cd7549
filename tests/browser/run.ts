// SPDX-License-Identifier: Apache-2.0
import { runChecks } from "../boot/run-checks.js";
import { linuxInTab } from "./linux-in-tab.js";
import { debianInTab } from "./debian-in-tab.js";
import { pcInTab } from "./pc-in-tab.js";
import { relayOnlyForPage } from "./relay-access.js";
import { speedInTab } from "./speed-in-tab.js";

/** One after the other: the last one takes times. */
export function run(root: string, names: readonly string[]): Promise<number> {
  return runChecks(root, [relayOnlyForPage, linuxInTab, pcInTab, debianInTab, speedInTab], names, 1);
}
