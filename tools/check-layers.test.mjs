// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { checkLayers } from "./check-layers.mjs";

const made = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

const manifest = (...dependencies) =>
  JSON.stringify({ dependencies: Object.fromEntries(dependencies.map((name) => [name, "*"])) });
const references = (...names) =>
  JSON.stringify({ exclude: ["src/**/*.test.ts"], references: names.map((name) => ({ path: `../${name}` })) });

/** A two-layer workspace that passes, with `files` written over it. */
function workspace(files = {}) {
  const root = mkdtempSync(join(tmpdir(), "isola-layers-"));
  made.push(root);
  const all = {
    "layers.json": JSON.stringify({ kernel: { base: 0, left: 1, right: 1 }, host: { cli: 2 } }),
    "tsconfig.base.json": JSON.stringify({ compilerOptions: { lib: ["ES2023"], types: [] } }),
    "packages/base/package.json": manifest(),
    "packages/base/tsconfig.json": references(),
    "packages/base/src/index.ts": "export const one = 1;\n",
    "packages/left/package.json": manifest("@isola/base"),
    "packages/left/tsconfig.json": references("base"),
    "packages/left/src/index.ts": 'import { one } from "@isola/base";\nexport const two = one + one;\n',
    "packages/right/package.json": manifest(),
    "packages/right/tsconfig.json": references(),
    "packages/right/src/index.ts": "export {};\n",
    "packages/cli/package.json": manifest("@isola/left", "commander"),
    "packages/cli/tsconfig.json": references("left"),
    "packages/cli/src/index.ts": 'import "node:fs";\nimport "commander";\nexport * from "@isola/left";\n',
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

describe("check-layers", () => {
  it("accepts a clean workspace, and this one", () => {
    expect(checkLayers(workspace())).toEqual([]);
    expect(checkLayers(dirname(dirname(fileURLToPath(import.meta.url))))).toEqual([]);
  });

  it.each([
    ["an upward import", "base", 'import "@isola/left";', "base (rank 0) may not import left (rank 1)"],
    ["a peer import", "right", 'export * from "@isola/left";', "right (rank 1) may not import left (rank 1)"],
    ["a dynamic import", "base", 'export const x = import("@isola/cli");', "may not import cli"],
    ["a deep import", "left", 'import "@isola/base/src/one.js";', "not a package"],
    ["an undeclared import", "right", 'import "@isola/base";', "missing from package.json"],
    ["a relative way out", "left", 'import "../../base/src/index.js";', "leaves its package"],
    ["Node in the kernel", "left", 'import "node:fs";', 'kernel package left imports "node:fs"'],
    ["npm in the kernel", "left", 'import "commander";', 'kernel package left imports "commander"'],
    ["npm undeclared", "cli", 'import "yargs";', '"yargs" is missing'],
  ])("refuses %s", (_what, name, text, message) => {
    const problems = checkLayers(workspace({ [`packages/${name}/src/bad.ts`]: `${text}\n` }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  it("lets kernel tests use Node and the test tools, and ignores comments", () => {
    const text =
      'import "node:fs";\nimport { it } from "vitest";\n// import "@isola/cli";\n/* from "@isola/cli" */\nBuffer.from("x");\n';
    expect(checkLayers(workspace({ "packages/base/src/a.test.ts": text }))).toEqual([]);
  });

  it("compares manifests, references and compiler options", () => {
    const problems = checkLayers(
      workspace({
        "packages/right/package.json": manifest("@isola/cli", "left-pad"),
        "packages/left/tsconfig.json": JSON.stringify({ compilerOptions: { types: ["node"] }, references: [] }),
        "packages/extra/package.json": manifest(),
      }),
    );
    expect(problems).toEqual([
      "packages/extra: not in layers.json",
      "packages/left/tsconfig.json: references must be those of package.json: base",
      "packages/left/tsconfig.json: a kernel package may not set lib or types",
      "packages/right/package.json: may not depend on @isola/cli (not of a lower rank)",
      "packages/right/package.json: kernel package depends on left-pad",
      "packages/right/tsconfig.json: references must be those of package.json: cli",
    ]);
  });
});
