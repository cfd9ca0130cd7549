// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { KeyInput, MouseInput } from "@isola/machine";
import type { VmState } from "@isola/vmm";

/** What a machine says of itself. */
export interface MachineSummary {
  readonly name: string;
  readonly pid: number;
  readonly state: VmState;
  readonly machine: "microvm" | "pc";
  /** What it was made from: an image's name, or a file. */
  readonly source: string;
  /** Bytes of RAM. */
  readonly memory: number;
  readonly cpus: number;
  /** Milliseconds since 1970 when it was started. */
  readonly startedAt: number;
}

/** Actions that need no parameters; the names are those of `VmmAction`. */
export const PLAIN_ACTIONS = ["pause", "resume", "stop", "reset", "press-power-button", "inject-nmi"] as const;
export type PlainAction = (typeof PLAIN_ACTIONS)[number];

/** Something that somebody does with keyboard or mouse. */
export type InputEvent =
  | ({ readonly type: "key" } & KeyInput)
  | ({ readonly type: "mouse" } & Omit<MouseInput, "at">)
  /** Moves the pointer to a pixel of the screen; `buttons` as in {@link MouseInput}. */
  | { readonly type: "point"; readonly x: number; readonly y: number; readonly buttons: number };

/** Most events in one request. */
export const MAX_EVENTS = 4096;
const MAX_CODE = 0xffff;
const MAX_DISTANCE = 0x7fff;
const MAX_BUTTONS = 0x1f;

/** The request is not what it should be. Code `bad-request`. */
export class RequestError extends OperatorError {
  constructor(message: string) {
    super("bad-request", message);
  }
}

type Json = { readonly [key: string]: unknown };

function object(value: unknown, what: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new RequestError(`${what} must be an object`);
}

function integer(from: Json, key: string, min: number, max: number): number {
  const value = from[key];
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RequestError(`"${key}" must be a whole number from ${min} to ${max}`);
}

function boolean(from: Json, key: string): boolean {
  const value = from[key];
  if (typeof value === "boolean") return value;
  throw new RequestError(`"${key}" must be true or false`);
}

/** Throws RequestError unless `value` is `{ "type": ACTION }`. */
export function parseAction(value: unknown): PlainAction {
  const { type } = object(value, "an action");
  const action = PLAIN_ACTIONS.find((one) => one === type);
  if (action === undefined) throw new RequestError(`"type" must be one of ${PLAIN_ACTIONS.join(", ")}`);
  return action;
}

function parseEvent(value: unknown): InputEvent {
  const event = object(value, "an event");
  switch (event["type"]) {
    case "key":
      return { type: "key", code: integer(event, "code", 1, MAX_CODE), pressed: boolean(event, "pressed") };
    case "mouse":
      return {
        type: "mouse",
        dx: integer(event, "dx", -MAX_DISTANCE, MAX_DISTANCE),
        dy: integer(event, "dy", -MAX_DISTANCE, MAX_DISTANCE),
        wheel: integer(event, "wheel", -MAX_DISTANCE, MAX_DISTANCE),
        buttons: integer(event, "buttons", 0, MAX_BUTTONS),
      };
    case "point":
      return {
        type: "point",
        x: integer(event, "x", 0, MAX_DISTANCE),
        y: integer(event, "y", 0, MAX_DISTANCE),
        buttons: integer(event, "buttons", 0, MAX_BUTTONS),
      };
    default:
      throw new RequestError(`"type" of an event must be key, mouse or point`);
  }
}

/** Throws RequestError unless `value` is `{ "events": [...] }` with at most {@link MAX_EVENTS} well-formed ones. */
export function parseInput(value: unknown): InputEvent[] {
  const { events } = object(value, "input");
  if (!Array.isArray(events) || events.length > MAX_EVENTS)
    throw new RequestError(`"events" must be a list of at most ${MAX_EVENTS} events`);
  return events.map(parseEvent);
}
