// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { ScreenFeed } from "./screen-feed.js";

it("tells changes, that the screen is off, and the whole picture to one who has nothing", () => {
  let now = 0;
  let dot = 0;
  let cost = 0;
  const screen = {
    picture: () => {
      now += cost;
      if (dot < 0) return null;
      const words = new Uint32Array(16);
      words[dot] = 1;
      return { width: 4, height: 4, pixels: new Uint8Array(words.buffer) };
    },
  };
  const feed = new ScreenFeed(() => now);
  expect(feed.next(screen, true)).toMatchObject({ columns: 4, rows: 4 });
  expect(feed.next(screen, false)).toBeNull();
  dot = 2;
  expect(feed.next(screen, false)).toMatchObject({ x: 0, y: 0, columns: 3, rows: 1 });
  dot = -1;
  expect(feed.next(screen, false)).toBe("off");
  dot = 5;
  // A picture that takes 2 ms leaves the thread to the machine for 30.
  cost = 2;
  expect(feed.next(screen, false)).toMatchObject({ columns: 4, rows: 4 });
  dot = 6;
  now += 29;
  expect(feed.next(screen, false)).toBeNull();
  now += 2;
  expect(feed.next(screen, false)).toMatchObject({ x: 1, y: 1, columns: 2, rows: 1 });
});
