// SPDX-License-Identifier: Apache-2.0
// `npm test`: build, static checks, unit tests, the oracle, boots. Says what it skipped and why; the last line counts.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, root } from "./build.mjs";

/** Checks of the sources, each a program for this Node. */
export const STATIC_CHECKS = [
  { name: "layers", args: ["tools/check-layers.mjs"] },
  { name: "types", args: ["node_modules/typescript/bin/tsc", "-b"] },
  { name: "types of the tests", args: ["node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"] },
  { name: "lint", args: ["node_modules/oxlint/bin/oxlint", "--quiet", "."] },
  { name: "format", args: ["node_modules/oxfmt/bin/oxfmt", "--check", "."] },
];

/** Programs that test the whole: each prints its own findings and ends with status 0, or 77 for "skipped". */
const WHOLE_CHECKS = [
  { name: "oracle: the engine against this processor", script: "tests/oracle/main.mjs" },
  { name: "boots", script: "tests/boot/main.mjs" },
  { name: "browser: machines in a tab of Chromium", script: "tests/browser/main.mjs" },
];

/** Unit tests that execute guest code: they run a second time with everything compiled that can be. */
const GUEST_CODE = [
  "packages/isa-x86/src/cpu",
  "packages/isa-x86/src/semantics",
  "packages/isa-x86/src/system",
  "packages/isa-x86/src/avx.test.ts",
  "packages/isa-x86/src/fma.test.ts",
  "packages/isa-x86/src/sse.test.ts",
  "tests/guests",
  "tests/oracle",
  "tests/fuzz",
];

const SKIPPED = 77;
const REPORT = "build/vitest.json";

/** Runs Node with `args` and more environment variables; resolves with its exit status. */
function node(args, more = {}) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...more };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", () => resolve(1));
    child.on("exit", (status) => resolve(status ?? 1));
  });
}

/**
 * Unit tests, all of them or some; returns how many passed, failed and were skipped, or null if they did not run.
 * @param env more environment variables
 */
async function unitTests(files = [], env = {}) {
  rmSync(join(root, REPORT), { force: true });
  mkdirSync(join(root, "build"), { recursive: true });
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile=${REPORT}`];
  const status = await node(["node_modules/vitest/vitest.mjs", "run", ...reporters, ...files], env);
  if (!existsSync(join(root, REPORT))) return null;
  const report = JSON.parse(readFileSync(join(root, REPORT), "utf8"));
  const skipped = report.testResults.flatMap((file) =>
    file.assertionResults.filter((one) => one.status === "pending" || one.status === "skipped"),
  );
  // A file that does not even load has no tests, yet has failed.
  const unloaded = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const failed = report.numFailedTests + unloaded.length;
  return { passed: report.numPassedTests, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** Runs everything and prints the tally. Returns the exit status. */
export async function testAll() {
  let passed = 0;
  let failed = 0;
  const skips = [];
  const check = async (name, action) => {
    const start = performance.now();
    process.stdout.write(`== ${name}\n`);
    let status;
    try {
      status = await action();
    } catch (error) {
      process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
      status = 1;
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (status === SKIPPED) skips.push(name);
    else if (status === 0) passed++;
    else failed++;
    process.stdout.write(`${status === 0 ? "ok" : status === SKIPPED ? "SKIPPED" : "FAILED"} ${name} (${seconds} s)\n`);
  };

  await check("build", async () => {
    await build();
    return 0;
  });
  for (const { name, args } of STATIC_CHECKS) await check(name, () => node(args));
  const count = (name, unit) => {
    passed += unit?.passed ?? 0;
    failed += unit?.failed ?? 1;
    for (const test of unit?.skipped ?? []) skips.push(`${test.fullName}${name}`);
  };
  process.stdout.write("== unit tests\n");
  count("", await unitTests());
  process.stdout.write("== unit tests, guest code compiled at once\n");
  count(" (compiled at once)", await unitTests(GUEST_CODE, { ISOLA_TRANSLATION: "at-once" }));
  for (const { name, script } of WHOLE_CHECKS) {
    if (existsSync(join(root, script))) await check(name, () => node([...process.execArgv, script]));
    else skips.push(`${name}: ${script} does not exist`);
  }
  for (const skip of skips) process.stdout.write(`SKIPPED ${skip}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}
