// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { deviceConformance } from "../conformance/suite.js";
import { DebugExit } from "./device.js";

deviceConformance("debug-exit", () => {
  const device = new DebugExit(() => {});
  return { device, ranges: [{ handler: device.handler, length: 4 }] };
});

it("turns a value into an odd exit code", () => {
  const codes: number[] = [];
  const device = new DebugExit((code) => codes.push(code));
  device.handler.write(0, 1, 0);
  device.handler.write(0, 4, 0x31);
  expect(codes).toEqual([1, 0x63]);
});
