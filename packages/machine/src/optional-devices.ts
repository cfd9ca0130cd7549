// SPDX-License-Identifier: Apache-2.0
import { assertNever } from "@isola/base";
import {
  DEBUG_CONSOLE_PORT,
  DEBUG_EXIT_PORT,
  DEBUG_EXIT_PORTS,
  DebugConsole,
  DebugExit,
  TEST_ECHO_BYTE_PORT,
  TEST_ECHO_PORT,
  TEST_ECHO_PORTS,
  TEST_FLUSH_PORT,
  TEST_IRQ_PORT,
  TEST_IRQ_PORTS,
  TEST_MEMORY_BASE,
  TEST_MEMORY_SIZE,
  TestDevice,
} from "@isola/devices";
import type { Bus } from "@isola/memory";
import type { ByteSink } from "@isola/ports";
import type { OptionalDevice } from "./config.js";
import type { InterruptWiring } from "./interrupt-wiring.js";

export interface OptionalDeviceContext {
  readonly io: Bus;
  readonly mmio: Bus;
  readonly wiring: InterruptWiring;
  /** Output of the first serial port. */
  readonly console: ByteSink;
  debugExit(status: number): void;
}

function addTestDevice({ io, mmio, wiring }: OptionalDeviceContext): TestDevice {
  const device = new TestDevice(Array.from({ length: TEST_IRQ_PORTS }, (_, line) => wiring.line(line)));
  io.map(TEST_ECHO_PORT, TEST_ECHO_PORTS, device.echoHandler, "pc-testdev");
  io.map(TEST_ECHO_BYTE_PORT, TEST_ECHO_PORTS, device.echoHandler, "pc-testdev");
  io.map(TEST_FLUSH_PORT, TEST_ECHO_PORTS, device.flushHandler, "pc-testdev");
  io.map(TEST_IRQ_PORT, TEST_IRQ_PORTS, device.irqHandler, "pc-testdev");
  mmio.map(TEST_MEMORY_BASE, TEST_MEMORY_SIZE, device.memoryHandler, "pc-testdev");
  return device;
}

/** Puts a device that the configuration asks for on the board. */
export function addOptionalDevice(name: OptionalDevice, context: OptionalDeviceContext): { reset(): void } {
  switch (name) {
    case "isa-debug-exit": {
      const device = new DebugExit((status) => context.debugExit(status));
      context.io.map(DEBUG_EXIT_PORT, DEBUG_EXIT_PORTS, device.handler, name);
      return device;
    }
    case "debugcon": {
      const device = new DebugConsole(context.console);
      context.io.map(DEBUG_CONSOLE_PORT, 1, device.handler, name);
      return device;
    }
    case "pc-testdev":
      return addTestDevice(context);
    default:
      return assertNever(name);
  }
}
