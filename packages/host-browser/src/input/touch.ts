// SPDX-License-Identifier: Apache-2.0
import type { InputSink } from "@isola/ports";

const LEFT = 1;
const RIGHT = 2;
/** A finger that stays closer than this, in pixels, has not moved. */
const SLOP = 8;
/** A touch that is shorter than this, in ms, is a tap; a finger that rests for longer takes hold. */
const TAP_MS = 300;
const HOLD_MS = 500;
const WHEEL_PIXELS = 30;

interface Finger {
  readonly startX: number;
  readonly startY: number;
  x: number;
  y: number;
}

type Touching = Pick<PointerEvent, "pointerId" | "clientX" | "clientY" | "timeStamp">;

/**
 * Fingers on a screen as on a touch pad: one moves the mouse, a tap clicks, one that rests drags, two turn the wheel, and
 * a tap of two is the right button.
 */
export class TouchPad {
  private readonly fingers = new Map<number, Finger>();
  private since = 0;
  private most = 0;
  private moved = false;
  private dragging = false;
  private wheel = 0;

  /** @param scale machine pixels for each pixel of the page */
  constructor(
    private readonly sink: InputSink,
    private readonly scale: () => number = () => 1,
  ) {}

  /** Takes the touches of `element` from now on; returns a function that stops that. */
  attach(element: HTMLElement): () => void {
    const stop = new AbortController();
    const on = (type: "pointerdown" | "pointermove" | "pointerup" | "pointercancel", take: (event: Touching) => void) =>
      element.addEventListener(
        type,
        (event) => {
          if (event.pointerType === "mouse") return;
          event.preventDefault();
          take(event);
        },
        { signal: stop.signal },
      );
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event));
    element.style.touchAction = "none";
    return () => stop.abort();
  }

  down({ pointerId, clientX, clientY, timeStamp }: Touching): void {
    if (this.fingers.size === 0) {
      this.since = timeStamp;
      this.most = 0;
      this.moved = false;
      this.wheel = 0;
    }
    this.fingers.set(pointerId, { startX: clientX, startY: clientY, x: clientX, y: clientY });
    this.most = Math.max(this.most, this.fingers.size);
  }

  move({ pointerId, clientX, clientY, timeStamp }: Touching): void {
    const finger = this.fingers.get(pointerId);
    if (finger === undefined) return;
    if (!this.moved) {
      if (Math.hypot(clientX - finger.startX, clientY - finger.startY) < SLOP) return;
      this.moved = true;
      this.dragging = this.most === 1 && timeStamp - this.since >= HOLD_MS;
    }
    const dx = clientX - finger.x;
    const dy = clientY - finger.y;
    finger.x = clientX;
    finger.y = clientY;
    if (this.most > 1) return this.scroll(dy / this.fingers.size);
    const scale = this.scale();
    this.sink.mouse(Math.round(dx * scale), Math.round(dy * scale), 0, this.dragging ? LEFT : 0);
  }

  up({ pointerId, timeStamp }: Touching): void {
    if (!this.fingers.delete(pointerId) || this.fingers.size > 0) return;
    if (this.dragging) this.sink.mouse(0, 0, 0, 0);
    else if (!this.moved && timeStamp - this.since < TAP_MS) this.click(this.most > 1 ? RIGHT : LEFT);
    this.dragging = false;
  }

  private click(button: number): void {
    this.sink.mouse(0, 0, 0, button);
    this.sink.mouse(0, 0, 0, 0);
  }

  private scroll(pixels: number): void {
    // Fingers push the page, the wheel pulls it.
    this.wheel -= pixels / WHEEL_PIXELS;
    const clicks = Math.trunc(this.wheel);
    if (clicks === 0) return;
    this.wheel -= clicks;
    this.sink.mouse(0, 0, clicks, 0);
  }
}
