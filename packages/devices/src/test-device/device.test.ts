// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { TestDevice } from "./device.js";
import { TEST_MEMORY_SIZE } from "./registers.js";

function makeTestDevice() {
  const lines = Array.from({ length: 24 }, () => new RecordingLine());
  return { lines, device: new TestDevice(lines) };
}

deviceConformance("test-device", () => {
  const { device } = makeTestDevice();
  return {
    device,
    ranges: [
      { handler: device.echoHandler, length: 4 },
      { handler: device.flushHandler, length: 4 },
      { handler: device.irqHandler, length: 24 },
      { handler: device.memoryHandler, length: 0x100 },
    ],
    pokes: [(random) => device.memoryHandler.write(TEST_MEMORY_SIZE - 1 - (random() % 8), 4, random())],
  };
});

it("echoes in every width", () => {
  const { echoHandler } = makeTestDevice().device;
  echoHandler.write(0, 4, 0x1234_5678);
  echoHandler.write(1, 1, 0xab);
  echoHandler.write(2, 2, 0xcdef);
  expect(echoHandler.read(0, 4)).toBe(0xcdef_ab78);
  expect(echoHandler.read(2, 2)).toBe(0xcdef);
  expect(echoHandler.read(3, 1)).toBe(0xcd);
});

it("pulls interrupt lines and keeps memory", () => {
  const { device, lines } = makeTestDevice();
  device.irqHandler.write(23, 1, 1);
  expect(lines[23]!.level).toBe(true);
  device.irqHandler.write(23, 1, 0);
  expect(lines[23]!.level).toBe(false);
  device.memoryHandler.write(0xfffe, 2, 0xbeef);
  expect(device.memoryHandler.read(0xfffe, 2)).toBe(0xbeef);
  expect(device.memoryHandler.read(0xfffe, 4)).toBe(0xbeef);
});
