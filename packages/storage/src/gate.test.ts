// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { Gate } from "./gate.js";

describe("Gate", () => {
  it("lets sharers in together and the one who wants to be alone after them, in the order of asking", async () => {
    const gate = new Gate();
    const log: string[] = [];
    const enter = (name: string, entry: void | Promise<void>) => {
      if (entry instanceof Promise) void entry.then(() => log.push(name));
      else log.push(name);
    };
    enter("a", gate.shared());
    enter("b", gate.shared());
    enter("C", gate.alone());
    enter("d", gate.shared());
    enter("e", gate.shared());
    enter("F", gate.alone());
    expect(log).toEqual(["a", "b"]);
    gate.leaveShared();
    await Promise.resolve();
    expect(log).toEqual(["a", "b"]);
    gate.leaveShared();
    await Promise.resolve();
    expect(log).toEqual(["a", "b", "C"]);
    gate.leave();
    await Promise.resolve();
    expect(log).toEqual(["a", "b", "C", "d", "e"]);
    gate.leaveShared();
    gate.leaveShared();
    await Promise.resolve();
    expect(log.at(-1)).toBe("F");
    gate.leave();
    expect(gate.alone()).toBeUndefined();
  });
});
