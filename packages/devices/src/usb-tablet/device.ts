// SPDX-License-Identifier: Apache-2.0
import type { Timers } from "@isola/ports";
import { checkState } from "../device.js";
import type { UsbDevice } from "../usb/device.js";
import { HidFunction } from "../usb-hid/hid-function.js";
import { BUTTONS, LAST_POSITION, MAX_WHEEL, PRODUCT_ID, TABLET_REPORT } from "./registers.js";
import type { UsbTabletState } from "./state.js";

const REPORT_LENGTH = 6;
const WHEEL = 5;

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, Math.trunc(value) || 0));
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** A pointer that tells where it is, not how far it has moved, so that it and the host's pointer do not part. */
export class UsbTablet extends HidFunction implements UsbDevice<UsbTabletState> {
  private x = 0;
  private y = 0;
  private buttons = 0;

  constructor(timers: Timers) {
    super(
      {
        product: "USB Tablet",
        productId: PRODUCT_ID,
        serial: "2",
        reportDescriptor: TABLET_REPORT,
        reportLength: REPORT_LENGTH,
        subclass: 0,
        protocol: 0,
      },
      timers,
    );
  }

  /**
   * The pointer is somewhere: 0 to {@link LAST_POSITION} from left to right and from top to bottom.
   * @param wheel clicks towards the user
   * @param buttons all that are down: bit 0 left, 1 right, 2 middle, 3 and 4 the others
   */
  point(x: number, y: number, wheel: number, buttons: number): void {
    this.x = clamp(x, 0, LAST_POSITION);
    this.y = clamp(y, 0, LAST_POSITION);
    this.buttons = buttons & BUTTONS;
    const next = this.currentReport();
    // In the report the wheel goes up away from the user.
    next[WHEEL] = clamp(-wheel, -MAX_WHEEL, MAX_WHEEL) & 0xff;
    this.report(next, (last, newer) => {
      const turned = signed(last[WHEEL]) + signed(newer[WHEEL]);
      return [...newer.slice(0, WHEEL), clamp(turned, -MAX_WHEEL, MAX_WHEEL) & 0xff];
    });
  }

  reset(): void {
    this.x = this.y = this.buttons = 0;
    this.busReset();
  }

  save(): UsbTabletState {
    const { x, y, buttons } = this;
    return { device: "usb-tablet", version: 1, hid: this.saveHid(), x, y, buttons };
  }

  restore(state: UsbTabletState): void {
    checkState(state, "usb-tablet", 1);
    this.restoreHid(state.hid);
    this.x = state.x;
    this.y = state.y;
    this.buttons = state.buttons;
  }

  protected currentReport(): number[] {
    const { x, y, buttons } = this;
    return [buttons, x & 0xff, x >> 8, y & 0xff, y >> 8, 0];
  }
}
