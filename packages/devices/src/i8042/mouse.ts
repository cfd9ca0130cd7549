// SPDX-License-Identifier: Apache-2.0
import { copyState } from "../device.js";
import { Answer, DEFAULT_RATE, DEFAULT_RESOLUTION, MouseCommand, MouseKind, QUEUE_LENGTH } from "./registers.js";
import { type MouseState, mouseResetState } from "./state.js";

const MAX_DISTANCE = 255;
const MAX_WHEEL = 7;
/** What accumulates while nobody asks for it stays within this. */
const MAX_PENDING = 0x7fff;
const BUTTONS = 0x1f;
/** Series of rates by which drivers ask for a wheel, and then for more buttons. */
const WHEEL_KNOCK = "200 100 80";
const BUTTONS_KNOCK = "200 200 80";

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}

/** A PS/2 mouse, which becomes one with a wheel and five buttons for drivers that know how to ask. */
export class Mouse {
  private s: MouseState = mouseResetState();

  /** @param ready a byte waits to be taken */
  constructor(private readonly ready: () => void) {}

  reset(): void {
    this.s = mouseResetState();
  }

  save(): MouseState {
    return copyState(this.s);
  }

  restore(state: MouseState): void {
    this.s = copyState(state);
  }

  /**
   * The mouse moves: right and down are positive, and so is the wheel towards the user.
   * @param buttons all that are down: bit 0 left, 1 right, 2 middle, 3 and 4 the others
   */
  move(dx: number, dy: number, wheel: number, buttons: number): void {
    const { s } = this;
    s.dx = clamp(s.dx + Math.trunc(dx), MAX_PENDING);
    s.dy = clamp(s.dy + Math.trunc(dy), MAX_PENDING);
    s.wheel = clamp(s.wheel + Math.trunc(wheel), MAX_PENDING);
    s.buttons = buttons & BUTTONS;
    if (s.queue.length === 0 && this.hasNews()) this.ready();
  }

  /** Takes the next byte, or returns -1. When all has been taken, movement that has come meanwhile is sent. */
  take(): number {
    const { s } = this;
    if (s.queue.length === 0 && this.hasNews()) s.queue.push(...this.packet());
    const byte = s.queue.shift() ?? -1;
    if (byte >= 0) s.last = byte;
    return byte;
  }

  /** The host sends a byte. */
  receive(byte: number): void {
    const { s } = this;
    if (s.wrap && byte !== MouseCommand.EndWrap && byte !== MouseCommand.Reset) return this.send(byte);
    const command = s.awaiting;
    s.awaiting = -1;
    if (command === MouseCommand.SetRate) return this.setRate(byte);
    if (command === MouseCommand.SetResolution) {
      s.resolution = byte & 3;
      return this.answer();
    }
    switch (byte) {
      case MouseCommand.SetRate:
      case MouseCommand.SetResolution:
        s.awaiting = byte;
        return this.answer();
      case MouseCommand.Identify:
        return this.answer(s.kind);
      case MouseCommand.ReadStatus:
        return this.answer(this.status(), s.resolution, s.rate);
      case MouseCommand.ReadData:
        return this.answer(...this.packet());
      case MouseCommand.Resend:
        return this.send(s.last);
      case MouseCommand.Reset:
        this.s = mouseResetState();
        return this.answer(Answer.TestPassed, MouseKind.Plain);
      default:
        return this.setMode(byte);
    }
  }

  private setMode(command: number): void {
    const { s } = this;
    switch (command) {
      case MouseCommand.Scale1:
      case MouseCommand.Scale2:
        s.scale2 = command === MouseCommand.Scale2;
        return this.answer();
      case MouseCommand.StreamMode:
      case MouseCommand.RemoteMode:
        s.remote = command === MouseCommand.RemoteMode;
        return this.answer();
      case MouseCommand.Wrap:
      case MouseCommand.EndWrap:
        s.wrap = command === MouseCommand.Wrap;
        return this.answer();
      case MouseCommand.Enable:
      case MouseCommand.Disable:
        s.enabled = command === MouseCommand.Enable;
        return this.answer();
      case MouseCommand.SetDefaults:
        Object.assign(s, { enabled: false, remote: false, scale2: false });
        Object.assign(s, { rate: DEFAULT_RATE, resolution: DEFAULT_RESOLUTION });
        return this.answer();
      default:
        return this.send(Answer.Resend);
    }
  }

  private setRate(rate: number): void {
    const { s } = this;
    s.rate = rate;
    s.rates = [...s.rates.slice(1), rate];
    const knock = s.rates.join(" ");
    if (knock === WHEEL_KNOCK && s.kind === MouseKind.Plain) s.kind = MouseKind.Wheel;
    else if (knock === BUTTONS_KNOCK && s.kind === MouseKind.Wheel) s.kind = MouseKind.FiveButtons;
    this.answer();
  }

  private status(): number {
    const { s } = this;
    // Here the middle and the right button have each other's place.
    const buttons = ((s.buttons & 1) << 2) | ((s.buttons & 4) >> 1) | ((s.buttons & 2) >> 1);
    return (s.remote ? 0x40 : 0) | (s.enabled ? 0x20 : 0) | (s.scale2 ? 0x10 : 0) | buttons;
  }

  /** Whether there is something that the host wants to hear of. */
  private hasNews(): boolean {
    const { s } = this;
    if (!s.enabled || s.remote) return false;
    return s.dx !== 0 || s.dy !== 0 || (s.wheel !== 0 && s.kind !== MouseKind.Plain) || s.buttons !== s.sentButtons;
  }

  /** What has changed since the last packet, or as much of it as one can hold. */
  private packet(): number[] {
    const { s } = this;
    const dx = clamp(s.dx, MAX_DISTANCE);
    // On the wire up is positive.
    const dy = -clamp(s.dy, MAX_DISTANCE);
    const wheel = s.kind === MouseKind.Plain ? 0 : clamp(s.wheel, MAX_WHEEL);
    s.dx -= dx;
    s.dy += dy;
    s.wheel = s.kind === MouseKind.Plain ? 0 : s.wheel - wheel;
    s.sentButtons = s.buttons;
    const signs = (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0);
    const bytes = [0x08 | signs | (s.buttons & 7), dx & 0xff, dy & 0xff];
    if (s.kind === MouseKind.Wheel) bytes.push(wheel & 0xff);
    else if (s.kind === MouseKind.FiveButtons) bytes.push((wheel & 0x0f) | ((s.buttons & 0x18) << 1));
    return bytes;
  }

  private answer(...more: readonly number[]): void {
    // A command makes the mouse forget what it was about to say.
    this.s.queue = [];
    this.send(Answer.Acknowledge, ...more);
  }

  private send(...bytes: readonly number[]): void {
    if (this.s.queue.length + bytes.length > QUEUE_LENGTH) return;
    this.s.queue.push(...bytes);
    this.ready();
  }
}
