// SPDX-License-Identifier: Apache-2.0
import type { UsbDevice } from "../usb/device.js";
import { UsbSpeed } from "../usb/device.js";
import { Link, PortBit } from "./registers.js";
import type { PortState } from "./state.js";

/** One port of the root hub (4.19) and what is plugged into it. */
export class Port {
  private bits: number = PortBit.Power;
  private news = false;

  /**
   * @param changed a bit that the guest wants to be told of has been set
   * @param wasReset the device has been reset by the guest
   */
  constructor(
    readonly device: UsbDevice | null,
    private readonly changed: () => void,
  ) {
    this.reset();
  }

  /** Whether an event about it is due. */
  get hasNews(): boolean {
    return this.news;
  }

  told(): void {
    this.news = false;
  }

  /** State after a reset of the controller: a device is found anew. */
  reset(): void {
    this.bits = PortBit.Power;
    this.news = false;
    this.setLink(Link.RxDetect);
    const { device } = this;
    if (device === null) return;
    device.busReset();
    this.bits |= PortBit.Connected | (device.speed << PortBit.SpeedShift);
    // A super speed link trains itself; the others wait to be reset (4.19.1).
    if (device.speed === UsbSpeed.Super) {
      this.bits |= PortBit.Enabled;
      this.setLink(Link.U0);
    } else this.setLink(Link.Polling);
    this.bits |= PortBit.ConnectChange;
    this.news = true;
  }

  save(): PortState {
    return { bits: this.bits >>> 0, news: this.news };
  }

  restore(state: PortState): void {
    this.bits = state.bits;
    this.news = state.news;
  }

  read(): number {
    return this.bits >>> 0;
  }

  write(value: number): void {
    const super3 = this.device?.speed === UsbSpeed.Super;
    if ((value & PortBit.WarmReset) !== 0 && super3) return this.resetDevice(PortBit.WarmResetChange);
    if ((value & PortBit.Reset) !== 0) return this.resetDevice(0);
    this.bits &= ~(value & PortBit.Changes);
    const linkBefore = (this.bits & PortBit.LinkMask) >> PortBit.LinkShift;
    if ((value & PortBit.Enabled) !== 0 && (this.bits & PortBit.Enabled) !== 0) {
      this.bits &= ~PortBit.Enabled;
      this.setLink(super3 ? Link.Disabled : Link.Polling);
    } else if ((value & PortBit.LinkWrite) !== 0)
      this.moveLink(linkBefore, (value & PortBit.LinkMask) >> PortBit.LinkShift);
    const kept = PortBit.Power | PortBit.Wake;
    this.bits = (this.bits & ~kept) | (value & kept);
  }

  private moveLink(before: Link, after: Link): void {
    if ((this.bits & PortBit.Connected) === 0) return;
    if (after === Link.U0 && before !== Link.U0) {
      this.setLink(Link.U0);
      this.note(PortBit.LinkChange);
    } else if (after === Link.U3 && before < Link.U3) this.setLink(Link.U3);
    else if (after === Link.RxDetect && before === Link.Disabled) {
      // A disabled super speed port comes back by training its link anew.
      this.bits |= PortBit.Enabled;
      this.setLink(Link.U0);
      this.note(PortBit.LinkChange);
    }
  }

  private resetDevice(more: number): void {
    if (this.device === null) return;
    this.device.busReset();
    this.bits |= PortBit.Enabled;
    this.setLink(Link.U0);
    this.note(PortBit.ResetChange | more);
  }

  private setLink(link: Link): void {
    this.bits = (this.bits & ~PortBit.LinkMask) | (link << PortBit.LinkShift);
  }

  /** Sets change bits; the guest is told when the first of them goes up (4.19.2). */
  private note(changes: number): void {
    if ((this.bits & changes) === changes) return;
    this.bits |= changes;
    this.news = true;
    this.changed();
  }
}
