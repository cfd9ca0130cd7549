// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { fitted, flameGraph } from "./flame-graph.js";
import { flameTree } from "./flame-tree.js";
import type { Profile } from "./profile.js";

const stack = (path: string, ms: number) => ({ frames: path.split(";"), time: ms * 1e6, samples: ms });
const PROFILE: Profile = {
  stacks: [
    stack("kernel;main;hot", 60),
    stack("kernel;main", 20),
    stack('user;a<b>&"c', 15),
    stack("[outside the guest]", 5),
  ],
  time: 100e6,
  samples: 95,
  kernelSymbols: true,
};

describe("flameTree", () => {
  it("merges callers, and places what they call inside them", () => {
    const boxes = flameTree(PROFILE, "all").map(({ name, time, start, depth }) => [
      name,
      depth,
      start / 1e6,
      time / 1e6,
    ]);
    expect(boxes).toEqual([
      ["all", 0, 0, 100],
      ["[outside the guest]", 1, 0, 5],
      ["kernel", 1, 5, 80],
      ["main", 2, 5, 80],
      ["hot", 3, 5, 60],
      ["user", 1, 85, 15],
      ['a<b>&"c', 2, 85, 15],
    ]);
  });
});

describe("flameGraph", () => {
  const graph = flameGraph(PROFILE, "A <title>");

  it("has a box for each function, as wide as its time", () => {
    const widths = [...graph.matchAll(/<title>([^:]*): ([^<]*)<\/title><rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g)];
    const shown = widths.map(([, name, time, x, width]) => [name, time, Number(x), Number(width)]);
    expect(shown).toContainEqual(["kernel", "80.00 ms, 80.00%", 69, 944]);
    expect(shown).toContainEqual(["hot", "60.00 ms, 60.00%", 69, 708]);
    expect(shown).toHaveLength(7);
  });

  it("escapes every name", () => {
    expect(graph).toContain("A &lt;title&gt;");
    expect(graph).toContain('data-n="a&lt;b&gt;&amp;&quot;c"');
    expect(graph).not.toContain("a<b>");
  });

  it("leaves out what is too narrow to see, and survives an empty profile", () => {
    const narrow = { ...PROFILE, stacks: [...PROFILE.stacks, { frames: ["tiny"], time: 1, samples: 0 }] };
    expect(flameGraph(narrow, "t")).not.toContain("tiny");
    expect(flameGraph({ stacks: [], time: 0, samples: 0, kernelSymbols: false }, "t")).toContain("</svg>");
  });
});

describe("fitted", () => {
  it("cuts labels to their boxes", () => {
    expect([fitted("function", 80), fitted("function", 50), fitted("function", 20)]).toEqual([
      "function",
      "func..",
      "",
    ]);
  });
});
