// SPDX-License-Identifier: Apache-2.0
import type { IoHandler } from "@isola/memory";
import type { UsbDevice } from "../usb/device.js";
import { parseSetup } from "../usb/setup-packet.js";

/** Plugs a device into a host that notes which endpoints have called. */
export function recordingHost(device: UsbDevice): { readonly woken: number[] } {
  const woken: number[] = [];
  device.connect({ wake: (endpoint) => woken.push(endpoint) });
  return { woken };
}

/** A control transfer; returns the bytes that came or were taken, or the negative answer. */
export function request(device: UsbDevice, setup: readonly number[], data: readonly number[] = []): number[] | number {
  const view = new DataView(Uint8Array.from(setup).buffer);
  const packet = parseSetup(view.getUint32(0, true), view.getUint32(4, true));
  const bytes = data.length > 0 ? Uint8Array.from(data) : new Uint8Array(packet.length);
  const count = device.control(packet, bytes);
  return count < 0 ? count : [...bytes.subarray(0, count)];
}

/** Gives a device address 1 and chooses its configuration. */
export function configureUsb(device: UsbDevice): void {
  request(device, [0, 5, 1, 0, 0, 0, 0, 0]);
  request(device, [0, 9, 1, 0, 0, 0, 0, 0]);
}

/** Accesses, by which the conformance suite pokes at registers, become requests and transfers. */
export function usbRange(device: UsbDevice): { readonly handler: IoHandler; readonly length: number } {
  const handler = {
    read(offset: number): number {
      const count = device.transferIn(offset & 3, new Uint8Array(64));
      return count < 0 ? 0 : count;
    },
    write(offset: number, _size: number, value: number): void {
      if (offset >= 0x80) device.transferOut(offset & 3, new Uint8Array(value & 0x7f).fill(value));
      else
        request(device, [
          (offset & 3) | [0, 0x20, 0x80, 0xa0][(offset >> 2) & 3]!,
          offset >> 4,
          value & 0xff,
          0,
          0,
          0,
          8,
          0,
        ]);
    },
  };
  return { handler, length: 0x100 };
}
