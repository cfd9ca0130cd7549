// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OTHER_KEY, SIGNED_MESSAGE, SIGNER_KEY } from "../../test-support/signatures.js";
import { hasTool } from "../../test-support/tools.js";
import { verifyClearSigned } from "./signature.js";

const url = "http://m.example/InRelease";
const message = Buffer.from(SIGNED_MESSAGE);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

describe.skipIf(!hasTool("gpgv", "--version"))("signatures", () => {
  test("a good one, by a key block and by an armored key file", async () => {
    const good = { state: "verified", signer: "Isola test <test@isola.invalid>" };
    expect(await verifyClearSigned(message, SIGNER_KEY, url)).toEqual(good);
    const file = join(directory, "key.asc");
    await writeFile(file, SIGNER_KEY);
    expect(await verifyClearSigned(message, file, url)).toEqual(good);
  });
  test.each([
    ["changed text", Buffer.from(SIGNED_MESSAGE.replace("Suite: test", "Suite: tset")), SIGNER_KEY],
    ["a key that did not sign", message, OTHER_KEY],
    ["no signature at all", Buffer.from("Suite: test\n"), SIGNER_KEY],
    ["an empty file", Buffer.from(""), SIGNER_KEY],
  ])("%s is refused", async (_what, bytes, key) => {
    await expect(verifyClearSigned(bytes, key, url)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });
});

test("without the key ring nothing is claimed", async () => {
  const result = await verifyClearSigned(message, join(directory, "missing.gpg"), url);
  expect(result).toMatchObject({ state: "unverified", reason: expect.stringContaining("no key ring") as string });
});
