// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COUNTER_GROUPS } from "./statistics.js";

// The document is made from the declarations; ISOLA_BLESS=1 rewrites it.
const DOCUMENT = new URL("../../../docs/counters.md", import.meta.url);

const HEADER = `# Counters

What a machine counts. This page is generated from the declarations in the sources; \`isola run --stats\` prints the
values, \`vm.statistics()\` returns them, and [look inside](guide/look-inside.md) explains how to read them. Counts begin
when a machine is built and go on over resets. A counter "by" something has a value for each label of that kind.

Hits of the soft TLB, of links between blocks and of the jump cache are not counted: they happen in inline code of a few
instructions, where counting would cost about as much as the work. What misses them is counted exactly.
`;

function table(): string {
  const parts = COUNTER_GROUPS.map(({ part, specs, each }) => {
    const rows = Object.entries(specs).map(
      ([name, { unit, by, doc }]) => `| \`${part}.${name}\` | ${unit} | ${by ?? ""} | ${doc} |\n`,
    );
    return `\n## ${each}\n| Counter | Unit | By | What it counts |\n|---|---|---|---|\n${rows.join("")}`;
  });
  return `${HEADER}${parts.join("")}`;
}

describe("the table of counters", () => {
  it("in docs/counters.md is that of the declarations", () => {
    if (process.env["ISOLA_BLESS"] === "1") writeFileSync(DOCUMENT, table());
    expect(readFileSync(DOCUMENT, "utf8")).toBe(table());
  });

  it("names no counter twice", () => {
    const names = COUNTER_GROUPS.flatMap(({ part, specs }) => Object.keys(specs).map((name) => `${part}.${name}`));
    expect(new Set(names).size).toBe(names.length);
  });
});
