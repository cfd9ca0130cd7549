// SPDX-License-Identifier: Apache-2.0
import type { DebugMachine, DebugPoint, WatchAccess } from "@isola/ports";
import { BAD_REQUEST, NO_ROOM, OK, UNSUPPORTED } from "./answer.js";
import { parseHex, parseSmallHex } from "./hex.js";

const ACCESSES: { readonly [type: string]: WatchAccess } = { "2": "write", "3": "read", "4": "access" };

/** What follows the letter of `Z` and `z`: type, address, and the length of a watchpoint. */
function parsePoint(text: string): DebugPoint | string {
  const [type = "", start = "", kind = ""] = (text.split(";")[0] ?? "").split(",");
  const address = parseHex(start);
  const length = parseSmallHex(kind);
  if (address === null || length === null) return BAD_REQUEST;
  if (type === "0" || type === "1") return { kind: "breakpoint", hardware: type === "1", address };
  const access = Object.hasOwn(ACCESSES, type) ? ACCESSES[type] : undefined;
  return access === undefined ? UNSUPPORTED : { kind: "watchpoint", access, address, length };
}

/** `Ztype,address,kind`. */
export function insertPoint(machine: DebugMachine, text: string): string {
  const point = parsePoint(text);
  if (typeof point === "string") return point;
  return machine.insertPoint(point) ? OK : NO_ROOM;
}

/** `ztype,address,kind`. What is not there has been removed already. */
export function removePoint(machine: DebugMachine, text: string): string {
  const point = parsePoint(text);
  if (typeof point === "string") return point;
  machine.removePoint(point);
  return OK;
}
