// SPDX-License-Identifier: Apache-2.0
import type { DebugEvent } from "@isola/ports";
import type { RegisterFile } from "./registers.js";

/** Numbers of signals in the protocol. */
const SIGINT = 2;
const SIGTRAP = 5;
const SIGSEGV = 11;
const WATCH_WORDS = { write: "watch", read: "rwatch", access: "awatch" } as const;
/** Registers that GDB looks at first after every stop. */
const EXPEDITED = ["rip", "rsp", "rbp"];

const byte = (value: number): string => (value & 0xff).toString(16).padStart(2, "0");

/** Reasons for a stop that GDB has said it understands. */
export interface KnownReasons {
  readonly swbreak: boolean;
  readonly hwbreak: boolean;
}

function reasonOf(event: DebugEvent, known: KnownReasons): string {
  if (event.kind !== "stop") return "";
  const { stop } = event;
  if (stop.kind === "watchpoint") return `${WATCH_WORDS[stop.access]}:${stop.address.toString(16)};`;
  if (stop.kind !== "breakpoint") return "";
  if (stop.hardware) return known.hwbreak ? "hwbreak:;" : "";
  return known.swbreak ? "swbreak:;" : "";
}

function signalOf(event: DebugEvent): number {
  if (event.kind === "paused") return SIGINT;
  return event.kind === "triple-fault" ? SIGSEGV : SIGTRAP;
}

/** The packet that tells GDB why the machine runs no longer; `vcpu` is the one to look at. */
export function stopReply(event: DebugEvent, vcpu: number, registers: RegisterFile, known: KnownReasons): string {
  if (event.kind === "ended") return `W${byte(event.status)}`;
  const values = EXPEDITED.map((name) => {
    const number = registers.numberOf(name);
    return `${byte(number)}:${registers.read(vcpu, number) ?? ""};`;
  });
  const thread = `thread:${(vcpu + 1).toString(16)};`;
  return `T${byte(signalOf(event))}${thread}${reasonOf(event, known)}${values.join("")}`;
}
