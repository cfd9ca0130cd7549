// SPDX-License-Identifier: Apache-2.0
import type { DebugMachine } from "@isola/ports";
import { type Architecture, targetDescription } from "./architecture.js";
import { BAD_REQUEST } from "./answer.js";
import { parseSmallHex } from "./hex.js";
import { MAX_PACKET } from "./packet.js";

/** What the stub can do, in answer to qSupported. */
export const SUPPORTED = [
  `PacketSize=${MAX_PACKET.toString(16)}`,
  "QStartNoAckMode+",
  "qXfer:features:read+",
  "qXfer:threads:read+",
  "vContSupported+",
  "swbreak+",
  "hwbreak+",
  "binary-upload+",
].join(";");

function threadList(machine: DebugMachine): string {
  const threads = Array.from(
    { length: machine.vcpus },
    (_, i) => `<thread id="${(i + 1).toString(16)}" core="${i}" name="vCPU ${i}">${machine.vcpuState(i)}</thread>`,
  );
  return `<?xml version="1.0"?><threads>${threads.join("")}</threads>`;
}

/** `qXfer:object:read:annex:offset,length`, `text` being what follows the first colon; null if there is no such object. */
export function transfer(machine: DebugMachine, architecture: Architecture, text: string): string | null {
  const [object = "", operation, annex = "", window = ""] = text.split(":");
  if (operation !== "read" || !["features", "threads"].includes(object)) return null;
  if (object === "features" && annex !== "target.xml") return "E00";
  const document = object === "features" ? targetDescription(architecture) : threadList(machine);
  const [start = "", count = "", ...more] = window.split(",");
  const offset = parseSmallHex(start);
  const length = parseSmallHex(count);
  if (offset === null || length === null || more.length > 0) return BAD_REQUEST;
  const part = document.slice(offset, offset + Math.min(length, MAX_PACKET >> 1));
  return `${offset + part.length < document.length ? "m" : "l"}${part}`;
}

/** All threads, as qfThreadInfo answers. */
export function threadIds(machine: DebugMachine): string {
  return `m${Array.from({ length: machine.vcpus }, (_, i) => (i + 1).toString(16)).join(",")}`;
}
