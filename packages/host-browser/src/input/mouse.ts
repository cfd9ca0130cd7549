// SPDX-License-Identifier: Apache-2.0
import type { InputSink } from "@isola/ports";

/** Buttons as events have them (bit 0 left, 1 right, 2 middle, 3 and 4 the others), which is as machines do. */
const BUTTONS = 0x1f;
/** Pixels of scrolling that are a click of the wheel; lines and pages count as they are. */
const WHEEL_PIXELS = 100;

type Move = Pick<PointerEvent, "movementX" | "movementY" | "buttons">;

/**
 * The mouse of a machine. A machine's mouse knows movements only, so the pointer belongs to it while it is locked: from a
 * click on the screen until Escape is held.
 */
export class Mouse {
  private wheel = 0;
  private fractionX = 0;
  private fractionY = 0;

  /** @param scale machine pixels for each pixel of the page */
  constructor(
    private readonly sink: InputSink,
    private readonly scale: () => number = () => 1,
  ) {}

  /** Takes the mouse's events of `element` from now on; returns a function that stops that. */
  attach(element: HTMLElement): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    const locked = () => document.pointerLockElement === element;
    const pointer = (event: PointerEvent) => {
      if (event.pointerType !== "mouse") return;
      if (locked()) return this.moved(event);
      // The click that locks the pointer is not the machine's. Browsers refuse when one was just unlocked.
      if (event.type === "pointerdown") void Promise.resolve(element.requestPointerLock()).catch(() => {});
    };
    for (const type of ["pointerdown", "pointerup", "pointermove"] as const)
      element.addEventListener(type, pointer, { signal });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    element.addEventListener("wheel", (event) => locked() && this.turned(event), { signal, passive: false });
    document.addEventListener("pointerlockchange", () => locked() || this.sink.mouse(0, 0, 0, 0), { signal });
    return () => {
      stop.abort();
      if (locked()) document.exitPointerLock();
    };
  }

  moved({ movementX, movementY, buttons }: Move): void {
    this.fractionX += movementX * this.scale();
    this.fractionY += movementY * this.scale();
    const dx = Math.trunc(this.fractionX);
    const dy = Math.trunc(this.fractionY);
    this.fractionX -= dx;
    this.fractionY -= dy;
    this.sink.mouse(dx, dy, 0, buttons & BUTTONS);
  }

  turned(event: Pick<WheelEvent, "deltaY" | "deltaMode" | "buttons" | "preventDefault">): void {
    event.preventDefault();
    // What is left of a turn does not count against one the other way.
    if (this.wheel * event.deltaY < 0) this.wheel = 0;
    this.wheel += event.deltaMode === 0 ? event.deltaY / WHEEL_PIXELS : Math.sign(event.deltaY);
    const clicks = Math.trunc(this.wheel);
    if (clicks === 0) return;
    this.wheel -= clicks;
    this.sink.mouse(0, 0, clicks, event.buttons & BUTTONS);
  }
}
