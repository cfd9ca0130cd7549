// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { describe, expect, it } from "vitest";
import { main } from "./main.js";
import { editDistance } from "./suggestion.js";
import type { Verb } from "./verb.js";

const greet: Verb = {
  name: "greet",
  synopsis: "[NAME]",
  summary: "says hello",
  options: {
    loud: { help: "shout" },
    times: { value: "COUNT", help: "repeat" },
    tag: { value: "TEXT", many: true, help: "label" },
    volume: { short: "v", value: "LEVEL", help: "how loud" },
    quiet: { short: "q", help: "whisper" },
    bow: { value: "DEPTH", optional: true, help: "bend" },
  },
  run: async (line) => {
    if (line.positionals[0] === "nobody") throw new OperatorError("nobody", "there is nobody");
    if (line.positionals[0] === "bug") throw new TypeError("oops");
    return (
      10 * Number(line.get("times") ?? 1) +
      line.all("tag").length +
      (line.has("loud") ? 5 : 0) +
      (line.has("quiet") ? 3 : 0) +
      Number(line.get("volume") ?? 0) * 100 +
      Number(line.get("bow") ?? 0)
    );
  },
};

async function run(...args: string[]) {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  return { status: await main(args, [greet], { out: write, err: write }), text };
}

describe("the command line", () => {
  it("parses options, switches, positionals and --", async () => {
    expect((await run("greet", "a", "--times", "3", "--tag=x", "--tag", "y", "--loud")).status).toBe(37);
    expect((await run("greet", "--", "--loud")).status).toBe(10);
    expect((await run("greet", "--bow=4")).status).toBe(14);
    expect((await run("greet", "--bow", "nobody")).text).toContain("there is nobody");
  });

  it("knows letters of options, several behind one dash", async () => {
    expect((await run("greet", "-q")).status).toBe(13);
    expect((await run("greet", "-qv", "2")).status).toBe(213);
    expect((await run("greet", "-v", "2", "-5")).status).toBe(210);
    expect((await run("greet", "-vq", "2")).text).toContain("unknown option -vq");
    expect((await run("greet", "--", "-q", "-h")).status).toBe(10);
    expect((await run("greet", "-h")).text).toContain("-q, --quiet");
  });

  it.each([
    [["greet", "--lod"], 'isola: unknown option --lod; did you mean "--loud"?\n'],
    [["greet", "--tmies=3"], 'isola: unknown option --tmies; did you mean "--times"?\n'],
    [["greet", "--zzzzzz"], "isola: unknown option --zzzzzz\n"],
    [["greet", "-l"], 'isola: unknown option -l; did you mean "--loud"?\n'],
    [["greet", "--times"], "isola: --times needs a value: --times COUNT\n"],
    [["greet", "--loud=1"], "isola: --loud takes no value\n"],
    [["greet", "--times", "1", "--times", "2"], "isola: --times was given twice\n"],
    [["gret"], 'isola: there is no verb "gret"; did you mean "greet"?\n'],
    [["x"], 'isola: there is no verb "x"; there are greet\n'],
  ])("answers %j with one line and status 2", async (args, text) => {
    expect(await run(...args)).toEqual({ status: 2, text });
  });

  it("tells operator errors from bugs", async () => {
    expect(await run("greet", "nobody")).toEqual({ status: 1, text: "isola: there is nobody\n" });
    const bug = await run("greet", "bug");
    expect(bug.status).toBe(1);
    expect(bug.text).toMatch(/^isola: internal error: TypeError: oops/);
  });

  it("explains itself", async () => {
    expect((await run("--help")).text).toContain("greet      says hello");
    const help = await run("greet", "--help");
    expect(help.status).toBe(0);
    expect(help.text).toContain("--tag TEXT");
    expect(help.text).toContain("--bow[=DEPTH]");
    expect((await run()).status).toBe(2);
  });
});

describe("editDistance", () => {
  it("counts inserts, deletes, replacements and swaps", () => {
    expect(editDistance("kernel", "kernel")).toBe(0);
    expect(editDistance("kenrel", "kernel")).toBe(1);
    expect(editDistance("kernl", "kernel")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("disk", "dusks")).toBe(2);
  });
});
