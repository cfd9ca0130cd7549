// SPDX-License-Identifier: Apache-2.0
import type { InputSink } from "@isola/ports";
import { scanCodeOf } from "./scan-codes.js";

/** Keys that every event of the keyboard tells of: their release may have gone to another window. */
const MODIFIERS: readonly (readonly ["Shift" | "Control" | "Alt" | "Meta", readonly string[]])[] = [
  ["Shift", ["ShiftLeft", "ShiftRight"]],
  ["Control", ["ControlLeft", "ControlRight"]],
  ["Alt", ["AltLeft", "AltRight"]],
  ["Meta", ["MetaLeft", "MetaRight"]],
];

type Key = Pick<KeyboardEvent, "code" | "preventDefault" | "getModifierState">;

/** What is typed while an element has the focus, for a machine's keyboard. */
export class Keyboard {
  private readonly held = new Set<string>();

  constructor(private readonly sink: InputSink) {}

  /** Takes the events of `element` from now on; returns a function that stops that. */
  attach(element: HTMLElement): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    element.addEventListener("keydown", (event) => this.down(event), { signal });
    element.addEventListener("keyup", (event) => this.up(event), { signal });
    // Another window gets the releases of what is held now.
    element.addEventListener("blur", () => this.releaseAll(), { signal });
    window.addEventListener("blur", () => this.releaseAll(), { signal });
    return () => {
      stop.abort();
      this.releaseAll();
    };
  }

  down(event: Key): void {
    const code = scanCodeOf(event.code);
    if (code === null) return;
    event.preventDefault();
    this.releaseLost(event);
    this.held.add(event.code);
    this.sink.key(code, true);
  }

  up(event: Key): void {
    if (scanCodeOf(event.code) === null) return;
    event.preventDefault();
    this.release(event.code);
    // With the Command key of a Mac, releases of other keys are not told.
    if (event.code.startsWith("Meta")) this.releaseAll();
  }

  releaseAll(): void {
    for (const code of this.held) this.release(code);
  }

  /** Modifiers that are not down any more although nobody said that they were let go. */
  private releaseLost(event: Key): void {
    for (const [modifier, codes] of MODIFIERS)
      if (!event.getModifierState(modifier) && !codes.includes(event.code))
        for (const code of codes) this.release(code);
  }

  private release(code: string): void {
    const scan = scanCodeOf(code);
    if (this.held.delete(code) && scan !== null) this.sink.key(scan, false);
  }
}
