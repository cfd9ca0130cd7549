// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { BareMachine, CODE } from "../cpu/bare-machine.fixture.js";
import { TrapResult } from "../cpu/x86-cpu.js";

it("PAUSE gives the thread away where other vCPUs wait for it, and does nothing else", () => {
  const trapped: string[] = [];
  const machine = new BareMachine(undefined, {
    trap: (_cpu, { opcode }) => {
      trapped.push(opcode.name);
      return opcode.name === "hlt" ? TrapResult.Halt : TrapResult.Done;
    },
  });
  machine.load(CODE, "f390 48ffc0 90");
  machine.run(CODE);
  machine.cpu.state.set("othersWait", 1);
  machine.run(CODE);
  expect(machine.get(0)).toBe(2n);
  expect(trapped).toEqual(["hlt", "pause", "hlt"]);
});
