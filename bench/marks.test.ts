// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIST_PATTERN, listedNames, markPattern } from "./marks.js";

const say = (text: string, ...mark: Parameters<typeof markPattern>) =>
  markPattern(...mark)
    .exec(text)
    ?.slice(1, 3);

describe("marks", () => {
  test.each([
    ["@begin sort\r\n", "begin", ["begin", undefined]],
    ["@absent sort\r\n", "begin", ["absent", undefined]],
    ["@failed sort prepare: no disk\r\n", "begin", ["failed", "prepare: no disk"]],
    ["@end sort 1f\r\n", "end", ["end", "1f"]],
    ["@end sort\n", "end", ["end", undefined]],
    ["@sum sort 1f\r\n", "sum", ["sum", "1f"]],
    ["~ # bench 5 sort\r\n@begin sort\r\n", "begin", ["begin", undefined]],
  ] as const)("%j where %s is due", (text, due, found) => expect(say(text, due, "sort")).toEqual(found));
  test.each([
    ["@begin sort", "begin"],
    ["@begin sorted\r\n", "begin"],
    ["echo @begin sort\r\n", "begin"],
    ["@end sort 1\r\n", "sum"],
  ] as const)("%j is not what %s waits for", (text, due) => expect(say(text, due, "sort")).toBeUndefined());
  test("a list", () => {
    expect(listedNames(LIST_PATTERN.exec("bench list\r\n@list sort x87\r\n")?.[1] ?? "")).toEqual(["sort", "x87"]);
    expect(listedNames(LIST_PATTERN.exec("@list\r\n")?.[1] ?? "none")).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("run.sh", () => {
  let area = "";
  beforeAll(() => {
    area = mkdtempSync(join(tmpdir(), "isola-programs-"));
    mkdirSync(join(area, "text/__pycache__"), { recursive: true });
    writeFileSync(join(area, "text/module.py"), "import this\n");
    mkdirSync(join(area, "programs"));
    copyFileSync(fileURLToPath(new URL("programs/run.sh", import.meta.url)), join(area, "programs/run.sh"));
    const program = (name: string, prepare: string, work: string, result: string) =>
      writeFileSync(
        join(area, `programs/${name}.sh`),
        `prepare() {\n${prepare}\n}\nwork() {\n${work}\n}\nresult() {\n${result}\n}\n`,
      );
    program("good", 'ls "$TREE" > names', 'echo "$SCALE" >> names', "cat names");
    program("bad", "true", "echo started\nls /nonexistent\ntouch late", "ls");
    program("unready", "false", "true", "true");
  });
  afterAll(() => rmSync(area, { recursive: true }));

  const run = (...args: string[]): string => {
    const env = { ...process.env, BENCH_AREA: join(area, "area"), BENCH_TREE: join(area, "text") };
    try {
      return execFileSync("sh", [join(area, "programs/run.sh"), ...args], { env, encoding: "utf8" });
    } catch (error) {
      return String((error as { readonly stdout: unknown }).stdout);
    }
  };

  test("lists the programs beside it", () => expect(run("list")).toBe("@list bad good unready\n"));
  test("a program's work and the digest of its result", () => {
    const digest = createHash("sha256").update("module.py\n30\n").digest("hex").slice(0, 16);
    expect(run("good", "30")).toBe(`@begin good\n@end good\n@sum good ${digest}\n`);
    expect(run("good", "40")).not.toContain(digest);
  });
  test("a command that fails ends the program", () => {
    expect(run("bad")).toMatch(/^@begin bad\n@failed bad work: .*nonexistent.*\n$/);
    expect(run("unready")).toMatch(/^@failed unready prepare: .*\n$/);
  });
});
