// SPDX-License-Identifier: Apache-2.0
import type { Timers } from "@isola/ports";
import { checkState } from "../device.js";
import type { UsbDevice } from "../usb/device.js";
import { HidFunction } from "../usb-hid/hid-function.js";
import { FIRST_MODIFIER, usageOf } from "./key-usages.js";
import { KEYBOARD_REPORT, MAX_KEYS, PRODUCT_ID, REPORT_KEYS, ROLL_OVER } from "./registers.js";
import type { UsbKeyboardState } from "./state.js";

const BOOT_SUBCLASS = 1;
const KEYBOARD_PROTOCOL = 1;

/** A USB keyboard, which firmware and operating systems know how to use. */
export class UsbKeyboard extends HidFunction implements UsbDevice<UsbKeyboardState> {
  private modifiers = 0;
  private keys: number[] = [];
  private lights = 0;

  constructor(timers: Timers) {
    super(
      {
        product: "USB Keyboard",
        productId: PRODUCT_ID,
        serial: "1",
        reportDescriptor: KEYBOARD_REPORT,
        reportLength: 2 + REPORT_KEYS,
        subclass: BOOT_SUBCLASS,
        protocol: KEYBOARD_PROTOCOL,
      },
      timers,
    );
  }

  /** Lights: bit 0 num lock, 1 caps lock, 2 scroll lock. */
  get leds(): number {
    return this.lights;
  }

  /** A key goes down or up: code of scan code set 1, see {@link usageOf}. A repeated press changes nothing. */
  key(code: number, pressed: boolean): void {
    const usage = usageOf(code);
    if (usage === 0) return;
    const before = this.currentReport().join();
    if (usage >= FIRST_MODIFIER) {
      const bit = 1 << (usage - FIRST_MODIFIER);
      this.modifiers = pressed ? this.modifiers | bit : this.modifiers & ~bit;
    } else {
      this.keys = this.keys.filter((one) => one !== usage || pressed);
      if (pressed && !this.keys.includes(usage) && this.keys.length < MAX_KEYS) this.keys.push(usage);
    }
    const after = this.currentReport();
    if (after.join() !== before) this.report(after, (_last, next) => next);
  }

  reset(): void {
    this.modifiers = 0;
    this.keys = [];
    this.busReset();
  }

  /** Keys that are held stay held. */
  override busReset(): void {
    super.busReset();
    this.lights = 0;
  }

  save(): UsbKeyboardState {
    return {
      device: "usb-keyboard",
      version: 1,
      hid: this.saveHid(),
      modifiers: this.modifiers,
      keys: [...this.keys],
      leds: this.lights,
    };
  }

  restore(state: UsbKeyboardState): void {
    checkState(state, "usb-keyboard", 1);
    this.restoreHid(state.hid);
    this.modifiers = state.modifiers;
    this.keys = [...state.keys];
    this.lights = state.leds;
  }

  protected currentReport(): number[] {
    const { keys } = this;
    const places = keys.length > REPORT_KEYS ? new Array<number>(REPORT_KEYS).fill(ROLL_OVER) : [...keys];
    while (places.length < REPORT_KEYS) places.push(0);
    return [this.modifiers, 0, ...places];
  }

  protected override outputReport(report: Uint8Array): void {
    this.lights = (report[0] ?? 0) & 0x1f;
  }
}
