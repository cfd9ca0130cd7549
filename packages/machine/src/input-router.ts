// SPDX-License-Identifier: Apache-2.0
import type { KeyInput, MouseInput } from "./input.js";

/** A keyboard of the board. */
export interface Keyboard {
  /** Whether a driver listens to it. */
  readonly ready: boolean;
  key(code: number, pressed: boolean): void;
}

/** A pointing device of the board. */
export interface PointingDevice {
  /** Whether a driver listens to it. */
  readonly ready: boolean;
  /** Takes an input; false if it is of a kind that the device cannot tell of. */
  move(input: MouseInput): boolean;
}

/** A device that tells where it is. */
interface Tablet {
  readonly ready: boolean;
  point(x: number, y: number, wheel: number, buttons: number): void;
}

/** A device that can only tell where it is, and leaves other inputs to others. */
export function absolutePointer(tablet: Tablet): PointingDevice {
  return {
    get ready() {
      return tablet.ready;
    },
    move({ at, wheel, buttons }) {
      if (at === undefined) return false;
      tablet.point(at.x, at.y, wheel, buttons);
      return true;
    },
  };
}

/**
 * Leads what is typed and pointed at to one of several devices: the first that a driver listens to, in the order in which
 * they were added. What nobody listens to is lost.
 */
export class InputRouter {
  private readonly keyboards: Keyboard[] = [];
  private readonly pointers: PointingDevice[] = [];
  /** Which keyboard has a key down, so that it also learns that the key goes up. */
  private readonly held = new Map<number, Keyboard>();

  addKeyboard(keyboard: Keyboard): void {
    this.keyboards.push(keyboard);
  }

  addPointer(pointer: PointingDevice): void {
    this.pointers.push(pointer);
  }

  key({ code, pressed }: KeyInput): void {
    const ready = this.keyboards.find((keyboard) => keyboard.ready) ?? null;
    const target = this.held.get(code) ?? ready;
    if (pressed && target !== null) this.held.set(code, target);
    else this.held.delete(code);
    target?.key(code, pressed);
  }

  move(input: MouseInput): void {
    for (const pointer of this.pointers) if (pointer.ready && pointer.move(input)) return;
  }

  /** Forgets which keys are down. */
  reset(): void {
    this.held.clear();
  }
}
