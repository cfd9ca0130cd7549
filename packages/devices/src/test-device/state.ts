// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { TEST_MEMORY_SIZE } from "./registers.js";

export interface TestDeviceState extends DeviceState {
  readonly device: "test-device";
  readonly version: 1;
  /** The 32 bits behind the echo ports. */
  echo: number;
  /** The memory region, up to its last byte that is not zero. */
  memory: number[];
}

export function testDeviceResetState(): TestDeviceState {
  return { device: "test-device", version: 1, echo: 0, memory: [] };
}

/** Bytes without the zeroes at their end. */
export function trimmed(bytes: Uint8Array): number[] {
  let length = TEST_MEMORY_SIZE;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return [...bytes.subarray(0, length)];
}
