// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { compareVersions } from "./version-compare.js";

// Each line is in ascending order; deb-version(7) gives the first two.
const ascending: readonly (readonly string[])[] = [
  ["1~~", "1~~a", "1~", "1", "1a"],
  ["1.0~rc1-1", "1.0-1~bpo1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0+dfsg-1", "1.0.1-1", "1:0.1-1"],
  ["0.9", "0.10", "1.2.3", "1.2.3a", "1.2.3+"],
  ["2.36-9+deb12u9", "2.36-9+deb12u10"],
  ["9", "10", "010.1"],
  ["3-a-1", "3-b-1"],
];

test.each(ascending)("versions from %s on are in ascending order", (...versions) => {
  for (let i = 0; i < versions.length; i++) {
    for (let j = 0; j < versions.length; j++) {
      const sign = Math.sign(compareVersions(versions[i], versions[j]));
      expect(`${versions[i]} ${versions[j]} ${sign}`).toBe(`${versions[i]} ${versions[j]} ${Math.sign(i - j)}`);
    }
  }
});

test.each([
  ["1.0", "1.00"],
  ["0:1.0-1", "1.0-1"],
  ["1.0-0", "1.0"],
])("%s equals %s", (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});
