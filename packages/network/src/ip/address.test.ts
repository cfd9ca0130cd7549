// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEgressRule } from "../user/egress-policy.js";
import { contains, formatIp, parseCidr, parseIp, unmapped } from "./address.js";

describe("addresses", () => {
  it.each([
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["192.0.2.1", "192.0.2.1"],
  ])("reads %s and writes %s", (text, canonical) => {
    expect(formatIp(parseIp(text)!)).toBe(canonical);
  });

  it("agrees with the host on what is an address", () => {
    const part = fc.constantFrom(
      "",
      "0",
      "1",
      "01",
      "255",
      "256",
      "ffff",
      "10000",
      "g",
      ":",
      "::",
      ".",
      "%1",
      "1.2.3.4",
    );
    const text = fc
      .array(part, { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join(fc.sample(fc.constantFrom(":", ".", ""), 1)[0]));
    fc.assert(
      fc.property(text, (candidate) => {
        // A zone belongs to a host's interface, and has no place in a packet.
        if (candidate.includes("%")) return;
        expect(parseIp(candidate)?.length ?? 0).toBe({ 0: 0, 4: 4, 6: 16 }[isIP(candidate)]);
      }),
      { numRuns: 3000 },
    );
  });

  it("survives writing and reading", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseIp(formatIp(bytes))).toEqual(bytes);
      }),
    );
  });

  it("belong to ranges by their first bits", () => {
    const range = parseCidr("10.1.0.0/15")!;
    expect(contains(range, parseIp("10.0.255.255")!)).toBe(true);
    expect(contains(range, parseIp("10.2.0.0")!)).toBe(false);
    expect(contains(parseCidr("0.0.0.0/0")!, parseIp("::1")!)).toBe(false);
    expect(contains(parseCidr("2001:db8::/33")!, parseIp("2001:db8:8000::")!)).toBe(false);
    for (const text of ["10.0.0.0/33", "10.0.0.0/", "::/129", "10/8", "x/1", "1.2.3.4/-1"])
      expect(parseCidr(text)).toBeNull();
    expect(formatIp(unmapped(parseIp("::ffff:1.2.3.4")!))).toBe("1.2.3.4");
  });
});

describe("egress rules", () => {
  it.each([
    ["*", { to: null, ports: null, protocol: null }],
    ["*:443", { to: null, ports: { first: 443, last: 443 } }],
    ["Example.Org:80-90/udp", { to: "example.org", ports: { first: 80, last: 90 }, protocol: "udp" }],
    ["2001:db8::1", { ports: null }],
    ["[2001:db8::/32]:443/tcp", { ports: { first: 443, last: 443 }, protocol: "tcp" }],
    ["10.0.0.0/8/icmp", { protocol: "icmp" }],
  ])("%s is one", (text, expected) => {
    expect(parseEgressRule(text, true)).toMatchObject(expected);
  });

  it.each([
    "",
    "-",
    "a b",
    "1.2.3",
    "*.*",
    "x:99999",
    "x:9-8",
    "[::1",
    "[::1]x",
    "*:1/icmp",
    "a..b",
    "10.0.0.0/8/sctp",
  ])("%j is none", (text) => {
    expect(parseEgressRule(text, true)).toBeNull();
  });
});
