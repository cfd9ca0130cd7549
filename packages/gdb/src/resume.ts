// SPDX-License-Identifier: Apache-2.0
import type { DebugResume } from "@isola/ports";
import { parseHex, parseSmallHex } from "./hex.js";

/** What a thread id of a packet stands for: a vCPU, all of them, or whichever. */
export type ThreadId = number | "all" | "any";

const CONTINUE: DebugResume = { kind: "continue" };
const STEP: DebugResume = { kind: "step" };
const HOLD: DebugResume = { kind: "hold" };

/** Threads are vCPUs, numbered from 1; null if there is no such thread. */
export function parseThread(text: string, vcpus: number): ThreadId | null {
  if (text === "-1") return "all";
  const id = parseSmallHex(text);
  if (id === 0) return "any";
  return id === null || id > vcpus ? null : id - 1;
}

/** `c`, `s`, either with a signal (which a machine does not take), `t`, or `rstart,end`. */
function parseAction(text: string): DebugResume | null {
  if (/^(c|C[0-9a-f]{2})$/.test(text)) return CONTINUE;
  if (/^(s|S[0-9a-f]{2})$/.test(text)) return STEP;
  if (text === "t") return HOLD;
  const [, start = "", end = ""] = /^r([0-9a-f]+),([0-9a-f]+)$/i.exec(text) ?? [];
  const from = parseHex(start);
  const to = parseHex(end);
  return from === null || to === null ? null : { kind: "range", from, to };
}

/**
 * `;action[:thread]...` of vCont: for each vCPU the first action that fits it. Those that none fits stand still.
 * @returns null if it makes no sense
 */
export function parseResume(text: string, vcpus: number): readonly DebugResume[] | null {
  const plan: (DebugResume | undefined)[] = new Array<undefined>(vcpus).fill(undefined);
  const parts = text.split(";").slice(1);
  if (parts.length === 0) return null;
  for (const part of parts) {
    const [word = "", thread] = part.split(":");
    const action = parseAction(word);
    const id = thread === undefined ? "all" : parseThread(thread, vcpus);
    if (action === null || id === null) return null;
    for (let vcpu = 0; vcpu < vcpus; vcpu++) if (typeof id === "string" || id === vcpu) plan[vcpu] ??= action;
  }
  return plan.map((action) => action ?? HOLD);
}
