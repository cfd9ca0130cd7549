// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { PackageIndex } from "./package-index.js";
import { resolvePackages } from "./resolve.js";

function indexOf(...packages: readonly string[]): PackageIndex {
  const index = new PackageIndex();
  const text = packages.map(
    (fields, i) => `${fields}\nArchitecture: amd64\nFilename: pool/${i}.deb\nSize: 1\nSHA256: ${"a".repeat(64)}\n`,
  );
  index.add(text.join("\n"), "http://m.example");
  return index;
}

const resolve = (
  index: PackageIndex,
  packages: string[],
  priorities: string[] = [],
  exclude: string[] = [],
): string[] => resolvePackages(index, { packages, priorities, exclude }).map(({ name }) => name);

test("dependencies, with Pre-Depends and cycles", () => {
  const index = indexOf(
    "Package: a\nVersion: 1\nDepends: b (>= 1)\nPre-Depends: c",
    "Package: b\nVersion: 1\nDepends: a",
    "Package: c\nVersion: 1",
    "Package: d\nVersion: 1",
  );
  expect(resolve(index, ["a"])).toEqual(["a", "b", "c"]);
});

test("the first alternative, unless another was asked for or is there already", () => {
  const index = indexOf("Package: a\nVersion: 1\nDepends: x | y", "Package: x\nVersion: 1", "Package: y\nVersion: 1");
  expect(resolve(index, ["a"])).toEqual(["a", "x"]);
  expect(resolve(index, ["a", "y"])).toEqual(["a", "y"]);
  expect(resolve(index, ["a"], [], ["x"])).toEqual(["a", "y"]);
});

test("a version that is too old sends the choice to the next alternative", () => {
  const index = indexOf(
    "Package: a\nVersion: 1\nDepends: x (>= 2) | y",
    "Package: x\nVersion: 1",
    "Package: y\nVersion: 1",
  );
  expect(resolve(index, ["a"])).toEqual(["a", "y"]);
});

test("virtual packages: versioned and not, by priority and name", () => {
  const index = indexOf(
    "Package: a\nVersion: 1\nDepends: mail, api (>= 2)",
    "Package: m2\nVersion: 1\nProvides: mail",
    "Package: m1\nVersion: 1\nProvides: mail",
    "Package: old\nVersion: 1\nProvides: api",
    "Package: new\nVersion: 1\nProvides: api (= 2.1)",
  );
  expect(resolve(index, ["a"])).toEqual(["a", "m1", "new"]);
});

test("essential packages and priorities, less what is excluded", () => {
  const index = indexOf(
    "Package: e\nVersion: 1\nEssential: yes\nPriority: optional",
    "Package: r\nVersion: 1\nPriority: required",
    "Package: i\nVersion: 1\nPriority: important",
    "Package: a\nVersion: 1",
  );
  expect(resolve(index, ["a"], ["required"])).toEqual(["a", "e", "r"]);
  expect(resolve(index, ["a"], ["required", "important"], ["i"])).toEqual(["a", "e", "r"]);
  expect(resolve(index, ["a"])).toEqual(["a"]);
});

test("the newest version of several suites", () => {
  const index = indexOf("Package: a\nVersion: 1.9");
  index.add(`Package: a\nVersion: 1.10\nFilename: p\nSize: 1\nSHA256: ${"b".repeat(64)}\n`, "http://s.example");
  expect(index.get("a")).toMatchObject({ version: "1.10", archive: "http://s.example" });
  index.add(`Package: a\nVersion: 1.2\nFilename: p\nSize: 1\nSHA256: ${"c".repeat(64)}\n`, "http://o.example");
  expect(index.get("a")).toMatchObject({ version: "1.10" });
});

test("conflicts steer the choice, and what cannot be solved is named", () => {
  const index = indexOf(
    "Package: a\nVersion: 1\nDepends: x | y",
    "Package: x\nVersion: 1\nBreaks: b (<< 2)",
    "Package: y\nVersion: 1",
    "Package: b\nVersion: 1",
    "Package: c\nVersion: 1\nConflicts: b",
    "Package: d\nVersion: 1\nDepends: missing (>= 3)",
  );
  expect(resolve(index, ["b", "a"])).toEqual(["a", "b", "y"]);
  expect(() => resolve(index, ["b", "c"])).toThrow(expect.objectContaining({ code: "DEPENDENCY_CONFLICT" }) as Error);
  expect(() => resolve(index, ["d"])).toThrow(/d 1 needs missing \(>= 3\)/);
  expect(() => resolve(index, ["nope"])).toThrow(expect.objectContaining({ code: "PACKAGE_NOT_FOUND" }) as Error);
});

test("entries without a usable hash or size are as if they were not there", () => {
  const index = new PackageIndex();
  index.add(
    "Package: a\nVersion: 1\nFilename: p\nSize: 1\nSHA256: zz\n\nVersion: 2\n\n" +
      "Package: b\nVersion: 1\nFilename: p\nSize: -1\n",
    "u",
  );
  expect(index.get("a")).toBeUndefined();
  expect(index.get("b")).toBeUndefined();
});
