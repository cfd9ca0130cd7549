// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { RecordingSink } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { DebugConsole } from "./device.js";

deviceConformance("debug-console", () => {
  const device = new DebugConsole(new RecordingSink());
  return { device, ranges: [{ handler: device.handler, length: 1 }] };
});

it("forwards bytes and shows that it is there", () => {
  const sink = new RecordingSink();
  const { handler } = new DebugConsole(sink);
  handler.write(0, 1, 0x6f);
  handler.write(0, 1, 0x6b);
  expect(sink.text()).toBe("ok");
  expect(handler.read(0, 1)).toBe(0xe9);
});
