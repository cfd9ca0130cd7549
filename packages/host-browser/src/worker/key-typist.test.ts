// SPDX-License-Identifier: Apache-2.0
import { keysOf } from "@isola/vmm";
import { expect, it, vi } from "vitest";
import { KeyTypist } from "./key-typist.js";

it("types one key after the other, and stops when nobody is there", () => {
  vi.useFakeTimers();
  try {
    const typed: string[] = [];
    let there = true;
    const typist = new KeyTypist(({ code, pressed }) => {
      if (there) typed.push(`${pressed ? "+" : "-"}${code.toString(16)}`);
      return there;
    });
    typist.type(keysOf("ab"));
    typist.type(keysOf("c"));
    expect(typed).toEqual(["+1e"]);
    vi.advanceTimersByTime(1000);
    expect(typed).toEqual(["+1e", "-1e", "+30", "-30", "+2e", "-2e"]);
    there = false;
    typist.type(keysOf("d"));
    there = true;
    vi.advanceTimersByTime(1000);
    expect(typed).toHaveLength(6);
  } finally {
    vi.useRealTimers();
  }
});
