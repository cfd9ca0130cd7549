// SPDX-License-Identifier: Apache-2.0
import { copyState } from "../device.js";
import { Answer, KEYBOARD_ID, KEYBOARD_QUEUE_LENGTH, KeyboardCommand, RELEASE_RESERVE } from "./registers.js";
import { scanCodesOf } from "./scan-codes.js";
import { type KeyboardState, keyboardResetState } from "./state.js";

/** A PS/2 keyboard with scan code sets 1 and 2. */
export class Keyboard {
  private s: KeyboardState = keyboardResetState();

  /** @param ready a byte waits to be taken */
  constructor(private readonly ready: () => void) {}

  reset(): void {
    this.s = keyboardResetState();
  }

  save(): KeyboardState {
    return copyState(this.s);
  }

  restore(state: KeyboardState): void {
    this.s = copyState(state);
  }

  /** Lights: bit 0 scroll lock, 1 num lock, 2 caps lock. */
  get leds(): number {
    return this.s.leds;
  }

  /** A key goes down or up: code of set 1, see `scanCodesOf`. A repeated press is one of a key that is held. */
  key(code: number, pressed: boolean): void {
    const { s } = this;
    if (!s.enabled) return;
    const bytes = scanCodesOf(code, pressed, s.scanCodes);
    const room = KEYBOARD_QUEUE_LENGTH - s.queue.length - (pressed ? RELEASE_RESERVE : 0);
    if (bytes.length === 0 || bytes.length > room) return;
    this.send(...bytes);
  }

  /** Takes the next byte, or returns -1. */
  take(): number {
    const byte = this.s.queue.shift() ?? -1;
    if (byte >= 0) this.s.last = byte;
    return byte;
  }

  /** The host sends a byte. */
  receive(byte: number): void {
    const { s } = this;
    const command = s.awaiting;
    s.awaiting = -1;
    if (command >= 0 && byte < KeyboardCommand.SetLeds) return this.parameter(command, byte);
    switch (byte) {
      case KeyboardCommand.SetLeds:
      case KeyboardCommand.SetScanCodes:
      case KeyboardCommand.SetRate:
        s.awaiting = byte;
        return this.answer();
      case KeyboardCommand.Echo:
        return this.send(Answer.Echo);
      case KeyboardCommand.Identify:
        return this.answer(...KEYBOARD_ID);
      case KeyboardCommand.Enable:
        s.enabled = true;
        s.queue = [];
        return this.answer();
      case KeyboardCommand.Disable:
        this.s = { ...keyboardResetState(), enabled: false, leds: s.leds };
        return this.answer();
      case KeyboardCommand.SetDefaults:
        this.s = { ...keyboardResetState(), leds: s.leds };
        return this.answer();
      case KeyboardCommand.Resend:
        return this.send(s.last);
      case KeyboardCommand.Reset:
        this.s = keyboardResetState();
        return this.answer(Answer.TestPassed);
      default:
        return byte > KeyboardCommand.SetDefaults ? this.answer() : this.send(Answer.Resend);
    }
  }

  private parameter(command: number, value: number): void {
    const { s } = this;
    if (command === KeyboardCommand.SetLeds) s.leds = value & 7;
    else if (command === KeyboardCommand.SetScanCodes) {
      if (value === 0) return this.answer(s.scanCodes);
      if (value > 2) return this.send(Answer.Resend);
      s.scanCodes = value;
    }
    this.answer();
  }

  private answer(...more: readonly number[]): void {
    this.send(Answer.Acknowledge, ...more);
  }

  private send(...bytes: readonly number[]): void {
    // Answers to commands always fit: they take the place of keys that nobody fetched.
    if (this.s.queue.length + bytes.length > KEYBOARD_QUEUE_LENGTH) this.s.queue = [];
    this.s.queue.push(...bytes);
    this.ready();
  }
}
