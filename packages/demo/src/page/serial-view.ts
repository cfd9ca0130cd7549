// SPDX-License-Identifier: Apache-2.0
import type { MachineClient } from "@isola/host-browser";
import { Terminal } from "@xterm/xterm";
import { element } from "./element.js";
import { leadsOut } from "./way-out.js";

/** What guests expect of a terminal that does not tell its size. */
const COLUMNS = 80;
const ROWS = 24;
const SCROLLBACK = 5000;
const MIN_FONT = 9;
const MAX_FONT = 17;
/** Width of a character of the font, of its height. */
const ASPECT = 0.605;

/** The first serial port in a terminal. */
export class SerialView {
  private readonly place = element("terminal", HTMLDivElement);
  private readonly terminal = new Terminal({
    cols: COLUMNS,
    rows: ROWS,
    scrollback: SCROLLBACK,
    fontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace",
    theme: { background: "#0b0e0f", foreground: "#dfe6e4", cursor: "#5cc3c0" },
  });
  private readonly observer = new ResizeObserver(() => this.fit());

  /** @param onLeave the user wants the page's controls */
  constructor(client: MachineClient, onLeave: () => void) {
    this.place.replaceChildren();
    this.terminal.attachCustomKeyEventHandler((event) => {
      if (!leadsOut(event)) return true;
      event.preventDefault();
      onLeave();
      return false;
    });
    this.terminal.open(this.place);
    const encoder = new TextEncoder();
    const send = (bytes: Uint8Array): void => {
      // Lost while there is no machine, or it has stopped.
      void client.perform({ type: "serial-input", port: 0, bytes }).catch(() => {});
    };
    this.terminal.onData((text) => send(encoder.encode(text)));
    this.terminal.onBinary((text) => send(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    this.observer.observe(this.place);
  }

  write(bytes: Uint8Array, shown: () => void): void {
    this.terminal.write(bytes, shown);
  }

  paste(text: string): void {
    this.terminal.paste(text);
  }

  focus(): void {
    this.terminal.focus();
  }

  close(): void {
    this.observer.disconnect();
    this.terminal.dispose();
  }

  private fit(): void {
    const width = this.place.clientWidth;
    if (width === 0) return;
    const size = Math.floor(width / COLUMNS / ASPECT);
    this.terminal.options.fontSize = Math.min(MAX_FONT, Math.max(MIN_FONT, size));
  }
}
