// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { NETWORK_OPTIONS, parseNetwork, parsePublish } from "./network-option.js";

const parse = (...args: string[]) => parseNetwork(parseCommandLine(args, NETWORK_OPTIONS));

describe("--network", () => {
  it("is none unless asked for", () => {
    expect(parse()).toBeNull();
    expect(parse("--network", "none")).toBeNull();
  });

  it("gives each machine an address of its own", () => {
    const [a, b] = [parse("--network", "user"), parse("--network", "user")];
    expect(a?.mac).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
    expect(a?.mac).not.toBe(b?.mac);
    expect(a).toMatchObject({ hostLoopback: false, publish: [], egress: [], allowByDefault: true });
    const given = parse("--network", "user,host-loopback,mac=02:00:00:00:00:07");
    expect(given).toMatchObject({ hostLoopback: true, mac: "02:00:00:00:00:07", card: "virtio" });
    expect(parse("--network", "user,card=e1000")?.card).toBe("e1000");
  });

  it.each([
    [["--network", "usr"], 'there is no "usr"; did you mean "user"?'],
    [["--network", "user,loopback"], 'unknown flag "loopback"'],
    [["--network", "user,mac=03:00:00:00:00:07"], "is not the address of a network card"],
    [["--network", "user,card=ne2000"], 'there is no card "ne2000"'],
    [["--network", "user,mac"], 'unknown flag "mac"'],
    [["--network", "user,host-loopback=1"], 'unknown flag "host-loopback=1"'],
    [["--network", "none,host-loopback"], "none takes no flags"],
    [["--publish", "80:80"], "--publish needs --network user"],
    [["--egress", "default=deny"], "--egress needs --network user"],
    [["--network", "user", "--egress", "permit=*"], '"permit=*" is not like'],
    [["--network", "user", "--egress", "allow=1.2.3.4/33"], '"allow=1.2.3.4/33" is not like'],
    [["--network", "user", "--egress", "default=maybe"], '"default=maybe" is not like'],
  ])("%s is refused in one line", (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});

describe("--publish", () => {
  it.each([
    ["8080:80", "tcp", "127.0.0.1", 8080, 80],
    ["0.0.0.0:53:5353/udp", "udp", "0.0.0.0", 53, 5353],
    ["[::1]:1:65535/tcp", "tcp", "::1", 1, 65_535],
  ])("reads %s", (text, protocol, address, port, guestPort) => {
    expect(parsePublish(text)).toEqual({ protocol, host: { address, port }, guestPort });
  });

  it.each([
    "80",
    "0:80",
    "80:0",
    "80:70000",
    "x:80:80",
    "::1:80:80",
    "[1.2.3.4]:80:80",
    "80:80/sctp",
    "80:80:80:80",
    "",
  ])("refuses %j", (text) => {
    expect(() => parsePublish(text)).toThrow("--publish: ");
  });
});

describe("--egress", () => {
  it("keeps the order of rules", () => {
    const network = parse(
      "--network",
      "user",
      "--egress",
      "allow=*.a.test:443/tcp",
      "--egress",
      "deny=10.0.0.0/8",
      "--egress",
      "default=deny",
    );
    expect(network?.egress).toMatchObject([
      { allow: true, to: "*.a.test", protocol: "tcp", ports: { first: 443, last: 443 } },
      { allow: false, protocol: null, ports: null },
    ]);
    expect(network?.allowByDefault).toBe(false);
  });
});
