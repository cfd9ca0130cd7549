// SPDX-License-Identifier: Apache-2.0
import { assertNever } from "@isola/base";
import { type UsbDevice, UsbKeyboard, UsbStorage, UsbTablet } from "@isola/devices";
import type { BlockStore, Timers } from "@isola/ports";
import type { UsbConfig } from "./config.js";
import { absolutePointer, type InputRouter } from "./input-router.js";

export interface UsbDeviceContext {
  readonly timers: Timers;
  readonly inputs: InputRouter;
  openStore(name: string): BlockStore;
  warnOnce(disk: string): (error: unknown) => void;
}

/** Makes a device that the configuration asks for, to be plugged into the controller. */
export function makeUsbDevice(config: UsbConfig, context: UsbDeviceContext): UsbDevice {
  const { timers, inputs } = context;
  switch (config.kind) {
    case "keyboard": {
      const keyboard = new UsbKeyboard(timers);
      inputs.addKeyboard(keyboard);
      return keyboard;
    }
    case "tablet": {
      const tablet = new UsbTablet(timers);
      inputs.addPointer(absolutePointer(tablet));
      return tablet;
    }
    case "disk": {
      const { serial } = config;
      return new UsbStorage({
        store: context.openStore(config.store),
        serial,
        onStoreError: context.warnOnce(serial),
      });
    }
    default:
      return assertNever(config);
  }
}
