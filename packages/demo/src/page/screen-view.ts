// SPDX-License-Identifier: Apache-2.0
import { CanvasScreen, Keyboard, type MachineClient, Mouse, TouchPad } from "@isola/host-browser";
import { element } from "./element.js";
import { leadsOut } from "./way-out.js";

/** Pause between two pictures in ms. */
const PERIOD_MS = 33;
const TEXT_PERIOD_MS = 500;

/** The part of the Keyboard Lock API that is used; not all browsers have it. */
interface KeyboardLock {
  readonly keyboard?: { lock(codes?: readonly string[]): Promise<void> };
}

/** The machine's screen on a canvas, with keyboard, mouse and touch. */
export class ScreenView {
  private readonly panel = element("screen-panel", HTMLDivElement);
  private readonly canvas = element("screen", HTMLCanvasElement);
  private readonly text = element("screen-text", HTMLPreElement);
  private readonly screen = new CanvasScreen(this.canvas);
  private readonly detach: (() => void)[] = [];
  private readonly stop = new AbortController();
  private whole = true;
  private running = true;
  private lastText = 0;

  /** @param onLeave the user wants the page's controls */
  constructor(
    private readonly client: MachineClient,
    onLeave: () => void,
  ) {
    const scale = (): number => this.canvas.width / Math.max(1, this.canvas.clientWidth);
    const { input } = client;
    this.canvas.addEventListener("keydown", (event) => this.wayOut(event, onLeave), { signal: this.stop.signal });
    this.detach.push(new Keyboard(input).attach(this.canvas));
    this.detach.push(new Mouse(input, scale).attach(this.canvas));
    this.detach.push(new TouchPad(input, scale).attach(this.canvas));
    this.setUpTouchKeyboard();
    this.screen.clear();
    void this.follow();
  }

  focus(): void {
    this.canvas.focus();
  }

  /** With the keys that browsers otherwise keep for themselves, where they let go of them. */
  async fullScreen(): Promise<void> {
    await this.panel.requestFullscreen({ navigationUI: "hide" });
    await (navigator as unknown as KeyboardLock).keyboard?.lock().catch(() => {});
    this.focus();
  }

  png(): Promise<Blob> {
    return this.screen.png();
  }

  close(): void {
    this.running = false;
    this.stop.abort();
    for (const detach of this.detach) detach();
  }

  private wayOut(event: KeyboardEvent, onLeave: () => void): void {
    if (!leadsOut(event)) return;
    // The machine is not to see it; what it has seen of it is let go when the focus moves.
    event.preventDefault();
    event.stopImmediatePropagation();
    document.exitPointerLock();
    onLeave();
  }

  private async follow(): Promise<void> {
    while (this.running) {
      await nextFrame();
      if (this.panel.hidden) {
        await pause(PERIOD_MS);
        continue;
      }
      const start = performance.now();
      try {
        await this.refresh();
      } catch {
        // The worker is gone, and its client has said so.
        return;
      }
      await pause(PERIOD_MS - (performance.now() - start));
    }
  }

  private async refresh(): Promise<void> {
    const change = await this.client.call("screen", { whole: this.whole });
    this.whole = false;
    if (change === "off") this.screen.clear();
    else if (change !== null) this.screen.draw(change);
    const now = performance.now();
    if (now - this.lastText < TEXT_PERIOD_MS) return;
    this.lastText = now;
    const lines = await this.client.call("screen-text", null);
    const text = lines === null ? "The machine shows graphics, or nothing." : lines.join("\n");
    if (this.text.textContent !== text) this.text.textContent = text;
  }

  /** Devices without a keyboard show theirs for a field that text can go into. */
  private setUpTouchKeyboard(): void {
    const field = element("touch-input", HTMLTextAreaElement);
    const { signal } = this.stop;
    element("touch-keyboard", HTMLButtonElement).addEventListener("click", () => field.focus(), { signal });
    field.addEventListener(
      "beforeinput",
      (event) => {
        if (event.inputType === "deleteContentBackward") this.client.type("\b");
        else if (event.inputType === "insertLineBreak") this.client.type("\n");
        else if (event.data !== null && !event.isComposing) this.client.type(event.data);
        else return;
        event.preventDefault();
      },
      { signal },
    );
    field.addEventListener(
      "compositionend",
      (event) => {
        this.client.type(event.data);
        field.value = "";
      },
      { signal },
    );
  }
}

function nextFrame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve()));
}

function pause(delay: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay));
}
