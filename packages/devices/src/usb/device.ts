// SPDX-License-Identifier: Apache-2.0
import type { Device, DeviceState, Pausable } from "../device.js";
import type { SetupPacket } from "./setup-packet.js";

/** Speeds, by the numbers that xHCI has for them (xHCI 1.1, 7.2.2.1.1). */
export const enum UsbSpeed {
  Full = 1,
  Low = 2,
  High = 3,
  Super = 4,
}

/** The endpoint has nothing to give, or takes nothing, for now (USB 2.0, 8.4.6). */
export const NAK = -1;
/** The endpoint is halted, or the request makes no sense. */
export const STALL = -2;

/** Bit of an endpoint address: towards the host. */
export const ENDPOINT_IN = 0x80;
/** The most that a controller moves in one call, a multiple of every packet size. */
export const MAX_TRANSFER = 1 << 16;

/** What a device sees of the controller that it is plugged into. */
export interface UsbHost {
  /** An endpoint that said {@link NAK} may have something to say now; `endpoint` is its address. */
  wake(endpoint: number): void;
}

/**
 * A device on the Universal Serial Bus. The controller asks, the device answers at once; one that has to wait says
 * {@link NAK}, and calls {@link UsbHost.wake} later. What a guest sends never makes it throw.
 */
export interface UsbDevice<State extends DeviceState = DeviceState> extends Device<State>, Partial<Pausable> {
  readonly speed: UsbSpeed;
  /** Plugs it in; called once. */
  connect(host: UsbHost): void;
  /** The port signals a reset: the device is unconfigured again, and has address 0. */
  busReset(): void;
  /**
   * A control transfer on endpoint 0.
   * @param data what came with the request, or room for what it asks for
   * @returns bytes filled or taken, or STALL
   */
  control(setup: SetupPacket, data: Uint8Array): number;
  /**
   * Packets of an IN endpoint, put one behind the other into `into` (at most {@link MAX_TRANSFER}). A count that is
   * not a multiple of the packet size, or zero, ends the transfer as a short packet does.
   * @param endpoint its number, without the direction bit
   * @returns bytes filled, NAK or STALL
   */
  transferIn(endpoint: number, into: Uint8Array): number;
  /** Takes data for an OUT endpoint; returns bytes taken, NAK or STALL. The rest is offered again. */
  transferOut(endpoint: number, data: Uint8Array): number;
}
