// SPDX-License-Identifier: Apache-2.0
import { EXEC_MAGIC, Request } from "@isola/images";
import { describe, expect, it } from "vitest";
import { encodeRequest, encodeTerminalSize } from "./exec-request.js";
import { requestFor } from "./guest-command.js";
import { findUser, ROOT } from "./guest-users.js";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
anna:x:1000:1001:Anna,,,:/home/anna:/bin/sh
broken
`;
const GROUP = `root:x:0:\nsudo:x:27:anna,otto\nanna:x:1001:\nshort\n`;

describe("users of a guest", () => {
  it.each([
    ["root", { uid: 0, gid: 0, groups: [0], home: "/root", shell: "/bin/bash" }],
    ["anna", { name: "anna", uid: 1000, gid: 1001, groups: [1001, 27], home: "/home/anna" }],
    ["1000", { name: "anna", uid: 1000, groups: [1001, 27] }],
    ["anna:sudo", { uid: 1000, gid: 27, groups: [27] }],
    ["4711", { name: "4711", uid: 4711, gid: 4711, groups: [4711], home: "/", shell: "/bin/sh" }],
    ["4711:5", { uid: 4711, gid: 5 }],
  ])("%s", (wanted, expected) => expect(findUser(wanted, PASSWD, GROUP)).toMatchObject(expected));

  it.each(["otto", "anna:nogroup", "", "99999999999"])("there is no %s", (wanted) =>
    expect(() => findUser(wanted, PASSWD, GROUP)).toThrow(/the guest has no/),
  );
});

const request = { argv: ["/bin/x", "a"], environment: ["A=1"], uid: 1, gid: 2, groups: [2, 3], terminal: null };

describe("requests", () => {
  it("hold a table of offsets and strings", () => {
    const bytes = encodeRequest(request);
    expect(bytes.readUInt32LE(Request.Magic)).toBe(EXEC_MAGIC);
    const blob = bytes.subarray(Request.Length);
    expect(bytes.readUInt32LE(Request.BlobLength)).toBe(blob.length);
    const table = Array.from({ length: bytes.readUInt32LE(Request.TableWords) }, (_, i) =>
      Number(blob.readBigUInt64LE(8 * i)),
    );
    const text = (at: number) => blob.toString("utf8", at, blob.indexOf(0, at));
    expect(table.map((at) => (at === 0 ? null : text(at)))).toEqual(["/bin/x", "a", null, "A=1", null]);
    expect(bytes.readUInt32LE(Request.EnvironmentIndex)).toBe(3);
  });

  it("refuse what the agent could not take", () => {
    expect(() => encodeRequest({ ...request, argv: ["/bin/x", "a\0b"] })).toThrow(/zero byte/);
    expect(() => encodeRequest({ ...request, argv: ["x".repeat(200_000)] })).toThrow(/longer than 128 KiB/);
  });

  it("tell sizes of terminals", () => {
    expect(encodeTerminalSize({ rows: 24, columns: 80 }).readUInt32LE(4)).toBe(24 | (80 << 16));
    expect(encodeTerminalSize({ rows: 1e6, columns: 1e6 }).readUInt32LE(4)).toBe(0xffff_ffff);
  });

  it("start in the directory, with the environment that was asked for", () => {
    const command = {
      words: ["ls", "-l"],
      directory: "/tmp",
      environment: ["PATH=/x", "E="],
      user: ROOT,
      terminal: null,
    };
    const { argv, environment } = requestFor(command);
    expect(argv.slice(-3)).toEqual(["/tmp", "ls", "-l"]);
    expect(environment).toContain("PATH=/x");
    expect(environment).toContain("E=");
    expect(environment).toContain("HOME=/root");
    expect(environment.filter((text) => text.startsWith("PATH="))).toHaveLength(1);
  });
});
