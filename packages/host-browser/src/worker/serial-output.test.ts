// SPDX-License-Identifier: Apache-2.0
import { expect, it, vi } from "vitest";
import { SerialOutput } from "./serial-output.js";

function fake() {
  const sent: [number, string][] = [];
  const tasks: (() => void)[] = [];
  const output = new SerialOutput(
    (port, bytes) => void sent.push([port, Buffer.from(bytes).toString("latin1")]),
    (task) => void tasks.push(task),
  );
  return { sent, tasks, output, turn: () => tasks.splice(0).forEach((task) => task()) };
}

it("sends what a port has transmitted in one piece, in order, each port its own", () => {
  const { sent, tasks, output, turn } = fake();
  const [first, second] = [output.sink(0), output.sink(1)];
  const buffer = Uint8Array.of(0x61);
  first.write(buffer);
  buffer[0] = 0x78;
  second.write(Buffer.from("2"));
  first.write(Buffer.from("b"));
  expect([sent, tasks.length]).toEqual([[], 1]);
  turn();
  turn();
  expect(sent).toEqual([
    [0, "ab"],
    [1, "2"],
  ]);
});

it("has the machine wait while the page has more to show than it should", async () => {
  const { output, turn } = fake();
  const sink = output.sink(0);
  sink.write(new Uint8Array((1 << 20) - 1));
  turn();
  expect(output.congestion()).toBeNull();
  sink.write(new Uint8Array(1));
  turn();
  const wait = output.congestion();
  expect(output.congestion()).toBe(wait);
  const goesOn = vi.fn();
  void wait?.then(goesOn);
  await Promise.resolve();
  expect(goesOn).not.toHaveBeenCalled();
  output.shown(10);
  await wait;
  expect(output.congestion()).toBeNull();
  output.shown(1 << 30);
  expect(output.congestion()).toBeNull();
});
