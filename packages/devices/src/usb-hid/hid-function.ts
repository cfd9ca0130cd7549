// SPDX-License-Identifier: Apache-2.0
import type { Timer, Timers } from "@isola/ports";
import { copyState } from "../device.js";
import { DescriptorType, EndpointKind } from "../usb/descriptors.js";
import { ENDPOINT_IN, NAK, STALL, UsbSpeed } from "../usb/device.js";
import { UsbFunction } from "../usb/function.js";
import type { SetupPacket } from "../usb/setup-packet.js";
import {
  BOOT_PROTOCOL,
  HID_CLASS,
  HidRequest,
  IDLE_UNIT,
  MAX_REPORTS,
  REPORT_ENDPOINT,
  REPORT_PROTOCOL,
  ReportType,
} from "./registers.js";
import { type HidState, hidResetState } from "./state.js";

/** What kind of input device it is. */
export interface HidIdentity {
  readonly product: string;
  readonly productId: number;
  readonly serial: string;
  /** Describes the reports (HID 1.11, 6.2.2). */
  readonly reportDescriptor: readonly number[];
  /** Bytes of the longest input report. */
  readonly reportLength: number;
  /** 1 for devices that firmware knows how to use. */
  readonly subclass: number;
  /** 1 for a keyboard, 2 for a mouse, of those that firmware knows. */
  readonly protocol: number;
}

/** The identity that keyboards and tablets of virtual machines have: no quirks of a maker apply to it. */
const VENDOR = 0x0627;
const RELEASE = 0x0100;
/** The host asks every 8 frames at full speed, which is 8 ms. */
const INTERVAL = 8;

function word(value: number): number[] {
  return [value & 0xff, value >> 8];
}

/** Version 1.11, no country, one report descriptor (HID 1.11, 6.2.1). */
function hidDescriptor(reportDescriptor: readonly number[]): number[] {
  return [9, DescriptorType.Hid, 0x11, 0x01, 0, 1, DescriptorType.HidReport, ...word(reportDescriptor.length)];
}

/** A full speed device with one interrupt endpoint for reports: keyboards, pointers. */
export abstract class HidFunction extends UsbFunction {
  private hid: HidState = hidResetState();
  private readonly idleTimer: Timer;
  private readonly hidDescriptor: readonly number[];

  constructor(
    private readonly kind: HidIdentity,
    private readonly timers: Timers,
  ) {
    const classDescriptors = hidDescriptor(kind.reportDescriptor);
    super(
      {
        vendorId: VENDOR,
        productId: kind.productId,
        release: RELEASE,
        manufacturer: "Isola",
        product: kind.product,
        serial: kind.serial,
        interfaceClass: HID_CLASS,
        interfaceSubclass: kind.subclass,
        interfaceProtocol: kind.protocol,
        classDescriptors,
        endpoints: [
          {
            address: REPORT_ENDPOINT | ENDPOINT_IN,
            kind: EndpointKind.Interrupt,
            maxPacket: 8,
            interval: INTERVAL,
          },
        ],
        power: 100,
        remoteWakeup: false,
      },
      UsbSpeed.Full,
    );
    this.hidDescriptor = classDescriptors;
    this.idleTimer = timers.create(() => this.idleOver());
  }

  /** Whether a driver has configured the device and fetches its reports. */
  get ready(): boolean {
    return this.configured && this.hid.polled;
  }

  override busReset(): void {
    super.busReset();
    this.hid = hidResetState();
    this.idleTimer.cancel();
  }

  transferIn(endpoint: number, into: Uint8Array): number {
    const { hid } = this;
    if (endpoint !== REPORT_ENDPOINT || !this.configured || this.isHalted(endpoint | ENDPOINT_IN)) return STALL;
    hid.polled = true;
    const report = hid.queue.shift();
    if (report === undefined) return NAK;
    this.armIdle();
    // A host that has less room than the report is long loses the rest.
    const length = Math.min(report.length, into.length);
    into.set(report.slice(0, length));
    return length;
  }

  /** There is no OUT endpoint: lights are set by a class request. */
  transferOut(): number {
    return STALL;
  }

  /** The report of the device as it is now. */
  protected abstract currentReport(boot: boolean): number[];

  /** The host has sent an output report. */
  protected outputReport(_report: Uint8Array): void {}

  /** Queues a report; `merge` makes one of the last that waits and this one, when there are too many. */
  protected report(bytes: number[], merge: (last: number[], next: number[]) => number[]): void {
    const { queue } = this.hid;
    // Before the host has configured the device it loses what happens.
    if (!this.configured) return;
    const last = queue.at(-1);
    if (queue.length >= MAX_REPORTS && last !== undefined) queue[queue.length - 1] = merge(last, bytes);
    else queue.push(bytes);
    this.host.wake(REPORT_ENDPOINT | ENDPOINT_IN);
  }

  protected get bootProtocol(): boolean {
    return this.hid.protocol === BOOT_PROTOCOL;
  }

  protected saveHid(): HidState {
    return { ...copyState(this.hid), function: this.saveBase() };
  }

  protected restoreHid(state: HidState): void {
    this.hid = copyState(state);
    this.restoreBase(state.function);
    this.idleTimer.cancel();
    if (state.idleDeadline !== null) this.idleTimer.set(state.idleDeadline);
  }

  protected override configurationSet(): void {
    this.hid.queue = [];
    this.hid.polled = false;
    this.stopIdle();
  }

  protected override classDescriptor(type: number): readonly number[] | null {
    if (type === DescriptorType.Hid) return this.hidDescriptor;
    return type === DescriptorType.HidReport ? this.kind.reportDescriptor : null;
  }

  protected classRead({ request, value }: SetupPacket): readonly number[] | null {
    switch (request) {
      case HidRequest.GetReport:
        return value >> 8 === ReportType.Input ? this.currentReport(this.bootProtocol) : null;
      case HidRequest.GetIdle:
        return [this.hid.idle];
      case HidRequest.GetProtocol:
        return [this.hid.protocol];
      default:
        return null;
    }
  }

  protected classWrite({ request, value }: SetupPacket, data: Uint8Array): boolean {
    switch (request) {
      case HidRequest.SetReport:
        if (value >> 8 !== ReportType.Output) return false;
        this.outputReport(data);
        return true;
      case HidRequest.SetIdle:
        this.hid.idle = value >> 8;
        this.stopIdle();
        return true;
      case HidRequest.SetProtocol:
        // Only devices of the boot subclass have two protocols (HID 1.11, 7.2.6).
        if (this.kind.subclass === 0 || value > REPORT_PROTOCOL) return false;
        this.hid.protocol = value;
        return true;
      default:
        return false;
    }
  }

  private armIdle(): void {
    const { hid } = this;
    if (hid.idle === 0) return;
    hid.idleDeadline = this.timers.now() + hid.idle * IDLE_UNIT;
    this.idleTimer.set(hid.idleDeadline);
  }

  private stopIdle(): void {
    this.hid.idleDeadline = null;
    this.idleTimer.cancel();
  }

  /** The host wants to hear the same again (HID 1.11, 7.2.4). */
  private idleOver(): void {
    const { hid } = this;
    hid.idleDeadline = null;
    if (hid.queue.length > 0 || !this.configured) return;
    hid.queue.push(this.currentReport(this.bootProtocol));
    this.host.wake(REPORT_ENDPOINT | ENDPOINT_IN);
  }
}
