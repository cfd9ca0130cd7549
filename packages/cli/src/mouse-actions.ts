// SPDX-License-Identifier: Apache-2.0
import type { InputEvent } from "@isola/control";
import { oneOf } from "./one-of.js";
import { UsageError } from "./usage-error.js";

const BUTTONS = { left: 1, right: 2, middle: 4 } as const;
type Button = keyof typeof BUTTONS;
const MAX_DISTANCE = 10_000;

const move = (dx: number, dy: number, buttons = 0): InputEvent => ({ type: "mouse", dx, dy, wheel: 0, buttons });

function distance(text: string | undefined, what: string): number {
  const value = text !== undefined && /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(value) <= MAX_DISTANCE) return value;
  throw new UsageError(`mouse ${what}: "${text ?? ""}" is not a whole number from -${MAX_DISTANCE} to ${MAX_DISTANCE}`);
}

function buttonOf(text: string | undefined): number {
  return BUTTONS[oneOf(text ?? "left", "button", Object.keys(BUTTONS) as Button[])];
}

function pixel(text: string | undefined): number {
  const value = distance(text, "point");
  if (value >= 0) return value;
  throw new UsageError(`mouse point: "${text}" is no pixel: they count from 0, from the upper left corner`);
}

/**
 * What `point X Y`, `move DX DY`, `click [BUTTON]`, `drag DX DY [BUTTON]` and `scroll CLICKS` do with a mouse. Throws UsageError if
 * the words say something else.
 */
export function mouseActions(words: readonly string[]): InputEvent[] {
  const [action = "", first, second, third, ...rest] = words;
  const takes = (count: number) => {
    if (words.length - 1 > count || rest.length > 0)
      throw new UsageError(`mouse ${action}: there is too much after it`);
  };
  switch (action) {
    case "point":
      takes(2);
      return [{ type: "point", x: pixel(first), y: pixel(second), buttons: 0 }];
    case "move":
      takes(2);
      return [move(distance(first, action), distance(second, action))];
    case "click": {
      takes(1);
      return [move(0, 0, buttonOf(first)), move(0, 0)];
    }
    case "drag": {
      takes(3);
      const button = buttonOf(third);
      const [dx, dy] = [distance(first, action), distance(second, action)];
      return [move(0, 0, button), move(dx, dy, button), move(0, 0)];
    }
    case "scroll":
      takes(1);
      return [{ type: "mouse", dx: 0, dy: 0, wheel: distance(first, action), buttons: 0 }];
    default:
      throw new UsageError(
        `mouse: there is no "${action}"; there are point X Y, move DX DY, click, drag DX DY, scroll CLICKS`,
      );
  }
}
