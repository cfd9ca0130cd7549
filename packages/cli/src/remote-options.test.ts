// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { GDB_OPTIONS, gdbRequest } from "./gdb-option.js";
import { MACHINE_OPTIONS } from "./machine-request.js";
import { VNC_OPTIONS, vncRequest } from "./vnc-option.js";

const line = (...args: string[]) => parseCommandLine(args, { ...MACHINE_OPTIONS, ...GDB_OPTIONS, ...VNC_OPTIONS });
const gdb = (text: string) => gdbRequest(line("--gdb", text));
const vnc = (text: string, machine = "pc") => vncRequest(line("--machine", machine, "--vnc", text));

describe("--gdb", () => {
  it("is a port of this host, unless it says otherwise", () => {
    expect(gdb("1234")).toEqual({ at: { host: "127.0.0.1", port: 1234 }, wait: false, architecture: "x86-64" });
    expect(gdb("0.0.0.0:1,wait")).toMatchObject({ at: { host: "0.0.0.0", port: 1 }, wait: true });
    expect(gdb("[::1]:1234,arch=i386")).toMatchObject({ at: { host: "::1" }, architecture: "i386" });
    expect(gdb("unix:/run/x")).toMatchObject({ at: { path: "/run/x" } });
    expect(gdbRequest(line())).toBeNull();
  });

  it("refuses what is no address", () => {
    for (const text of ["", "x", "65536", "a:b", "unix:", "::1:1234", "1234,weit"])
      expect(() => gdb(text)).toThrow("--gdb");
  });
});

describe("--vnc", () => {
  it("needs a password on TCP, and a display", () => {
    expect(vnc("5900,password-file=p")).toEqual({ at: { host: "127.0.0.1", port: 5900 }, passwordFile: "p" });
    expect(vnc("unix:s")).toEqual({ at: { path: "s" }, passwordFile: null });
    expect(() => vnc("5900")).toThrow("needs a password");
    expect(() => vnc("unix:s,x")).toThrow('there is no "x"');
    expect(() => vnc("unix:s", "microvm")).toThrow("--machine pc");
  });
});
