// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { clearSigned } from "../../test-support/fake-archive.js";
import { parseAptNetwork } from "./apt-config.js";
import { parseDeb822Sources, parseOneLineSources } from "./apt-sources.js";
import { type SuiteRequest, locateSuites } from "./archive-suites.js";
import { parseControl } from "./control-file.js";
import { pathFilter } from "./path-filter.js";
import { parseRelations, versionAllowed } from "./relation.js";
import { checkRelease, clearSignedText, parseRelease } from "./release.js";

describe("control files", () => {
  test("folded fields, comments, blank lines and odd lines", () => {
    const text =
      "# note\nPackage: a\nDescription: short\n long\n .\n more\nodd line\n\n\n\nPackage: b\nPACKAGE-Two:x\n";
    expect([...parseControl(text)].map((paragraph) => Object.fromEntries(paragraph))).toEqual([
      { package: "a", description: "short\nlong\n.\nmore" },
      { package: "b", "package-two": "x" },
    ]);
  });
});

describe("relations", () => {
  test("alternatives, versions and qualifiers", () => {
    expect(parseRelations("a (>= 1.2), b | c:any (<< 2~) , d [amd64], ,e(=3)")).toEqual([
      [{ name: "a", operator: ">=", version: "1.2" }],
      [{ name: "b" }, { name: "c", operator: "<<", version: "2~" }],
      [{ name: "d" }],
      [{ name: "e", operator: "=", version: "3" }],
    ]);
  });
  test("what does not parse satisfies nothing", () => {
    expect(parseRelations("UPPER (>= 1)")).toEqual([[]]);
    expect(parseRelations(undefined)).toEqual([]);
  });
  test.each([
    ["<<", "1.1", true],
    ["<=", "1.2", true],
    ["=", "1.2", true],
    [">=", "1.10", true],
    [">>", "1.2", false],
  ] as const)("%s 1.2 with %s", (operator, version, allowed) => {
    expect(versionAllowed({ name: "x", operator, version: "1.2" }, version)).toBe(allowed);
  });
});

describe("apt sources", () => {
  test("the one-line form with options and comments", () => {
    const text = [
      "# deb http://no.example/debian x main",
      "deb [ arch=amd64 signed-by=/k.gpg trusted=yes ] https://a.example/debian/ bookworm main contrib # note",
      "deb-src https://a.example/debian bookworm main",
    ].join("\n");
    expect(parseOneLineSources(text)).toEqual([
      {
        uri: "https://a.example/debian",
        suites: ["bookworm"],
        components: ["main", "contrib"],
        signedBy: "/k.gpg",
        trusted: true,
      },
    ]);
  });
  test("the deb822 form, with several addresses, a disabled entry and a key block", () => {
    const text = [
      "Types: deb deb-src",
      "URIs: http://a.example/debian http://b.example/debian",
      "Suites: bookworm bookworm-updates",
      "Components: main",
      "Signed-By:",
      " -----BEGIN PGP PUBLIC KEY BLOCK-----",
      " .",
      " QUJD",
      " -----END PGP PUBLIC KEY BLOCK-----",
      "",
      "Types: deb",
      "URIs: http://c.example/debian",
      "Suites: bookworm",
      "Components: main",
      "Enabled: no",
    ].join("\n");
    const key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nQUJD\n-----END PGP PUBLIC KEY BLOCK-----";
    const common = { suites: ["bookworm", "bookworm-updates"], components: ["main"], trusted: false, signedBy: key };
    expect(parseDeb822Sources(text)).toEqual([
      { uri: "http://a.example/debian", ...common },
      { uri: "http://b.example/debian", ...common },
    ]);
  });
  test("proxy and authority settings of apt-config", () => {
    expect(
      parseAptNetwork('Acquire::http::Proxy "http://p.example:3128";\nAcquire::https::CAInfo "/ca.pem";\n'),
    ).toEqual({
      httpProxy: "http://p.example:3128",
      httpsProxy: "http://p.example:3128",
      caFile: "/ca.pem",
    });
    expect(parseAptNetwork('Acquire::http::Proxy "DIRECT";\n')).toEqual({ httpProxy: "", httpsProxy: "" });
    expect(parseAptNetwork('Acquire "";\n')).toEqual({});
  });
});

describe("where suites come from", () => {
  const request: SuiteRequest = {
    suites: ["bookworm", "bookworm-updates", "bookworm-security"],
    component: "main",
    keyring: "/k.gpg",
    aptSources: [],
  };
  const source = { components: ["main"], trusted: false };

  test("a named mirror, with the security archive beside it as a guess", () => {
    expect(locateSuites({ ...request, mirror: "http://m.example/debian/" })).toMatchObject([
      { archive: "http://m.example/debian", suite: "bookworm", optional: false },
      { archive: "http://m.example/debian", suite: "bookworm-updates", optional: true },
      { archive: "http://m.example/debian-security", suite: "bookworm-security", optional: true },
    ]);
  });
  test("the system's sources, each with its own key ring", () => {
    const aptSources = [
      { ...source, uri: "http://m.example/debian", suites: ["bookworm"], signedBy: "/own.gpg" },
      { ...source, uri: "http://s.example/debian-security", suites: ["bookworm-security"] },
    ];
    expect(locateSuites({ ...request, aptSources })).toMatchObject([
      { archive: "http://m.example/debian", suite: "bookworm", keyring: "/own.gpg", optional: false },
      { archive: "http://s.example/debian-security", suite: "bookworm-security", keyring: "/k.gpg", optional: false },
    ]);
  });
  test("a system of another release lends its mirror", () => {
    const aptSources = [{ ...source, uri: "http://m.example/debian", suites: ["trixie"] }];
    expect(locateSuites({ ...request, aptSources })[0]).toMatchObject({
      archive: "http://m.example/debian",
      suite: "bookworm",
    });
  });
  test("no mirror, or a bad one, is said in one line", () => {
    expect(() => locateSuites(request)).toThrow(expect.objectContaining({ code: "MIRROR_NOT_CONFIGURED" }) as Error);
    expect(() => locateSuites({ ...request, mirror: "ftp://m.example" })).toThrow(
      expect.objectContaining({ code: "MIRROR_INVALID" }) as Error,
    );
  });
});

describe("Release files", () => {
  const hash = "0".repeat(64);
  const text = [
    "Suite: oldstable",
    "Codename: bookworm",
    "Date: Sat, 11 Jul 2026 10:16:37 UTC",
    "Valid-Until: Sat, 18 Jul 2026 10:16:37 UTC",
    "Acquire-By-Hash: yes",
    `SHA256:\n ${hash} 12 main/x`,
  ].join("\n");

  test("the signed text, dash escapes taken off", () => {
    expect(clearSignedText(clearSigned("a: b\n- -x"), "u")).toBe("a: b\n-x");
  });
  test.each([
    ["text before", `evil: 1\n${clearSigned("a: b")}`],
    ["text after", `${clearSigned("a: b")}evil: 1\n`],
    ["a second message inside", clearSigned(`a: b\n-----BEGIN PGP SIGNED MESSAGE-----\n\nevil: 1`)],
    ["no signature", "a: b\n"],
  ])("%s is refused", (_what, message) => {
    expect(() => clearSignedText(message, "u")).toThrow(expect.objectContaining({ code: "MIRROR_BROKEN" }) as Error);
  });
  test("fields", () => {
    const release = parseRelease(text, "u");
    expect(release).toMatchObject({ codename: "bookworm", suite: "oldstable", acquireByHash: true });
    expect(release.files.get("main/x")).toEqual({ path: "main/x", sha256: hash, size: 12 });
  });
  test("suite, expiry and clock", () => {
    const release = parseRelease(text, "u");
    const check = (suite: string, now: string): void => checkRelease(release, suite, "u", new Date(now));
    expect(() => check("bookworm", "2026-07-12T00:00:00Z")).not.toThrow();
    expect(() => check("trixie", "2026-07-12T00:00:00Z")).toThrow(/asked for trixie/);
    expect(() => check("bookworm", "2026-08-01T00:00:00Z")).toThrow(
      expect.objectContaining({ code: "RELEASE_EXPIRED" }) as Error,
    );
    expect(() => check("bookworm", "2026-07-01T00:00:00Z")).toThrow(
      expect.objectContaining({ code: "RELEASE_NOT_YET_VALID" }) as Error,
    );
  });
});

test("dpkg's path rules: the last one that matches decides", () => {
  const keep = pathFilter([
    { action: "exclude", pattern: "/usr/share/doc/*" },
    { action: "include", pattern: "/usr/share/doc/*/copyright" },
  ]);
  expect(["/usr/bin/a", "/usr/share/doc/a/x.gz", "/usr/share/doc/a/copyright", "/usr/share/docx"].map(keep)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});
