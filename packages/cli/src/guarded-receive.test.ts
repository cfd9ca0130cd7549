// SPDX-License-Identifier: Apache-2.0
import { expect, it, vi } from "vitest";
import { guardedReceive } from "./guarded-receive.js";

it("ends the connection, says whose it was, and throws nothing when what takes its bytes throws", () => {
  const error = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const connection = { send: vi.fn(), end: vi.fn(), backlog: 0 };
  const taken: number[] = [];
  const receive = guardedReceive(connection, "a viewer's", ([first = 0]) => {
    if (first === 0) throw new Error("a mistake");
    taken.push(first);
  });
  receive(Uint8Array.of(7));
  expect(connection.end).not.toHaveBeenCalled();
  receive(Uint8Array.of(0));
  expect(taken).toEqual([7]);
  expect(connection.end).toHaveBeenCalledOnce();
  expect(error.mock.calls.flat().join("")).toContain("internal error in a viewer's connection: Error: a mistake");
  error.mockRestore();
});
