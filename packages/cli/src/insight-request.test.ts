// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { INSIGHT_OPTIONS, insightRequest } from "./insight-request.js";
import { UsageError } from "./usage-error.js";

const request = (...args: string[]) => insightRequest(parseCommandLine(args, INSIGHT_OPTIONS));

describe("--stats", () => {
  it("has two formats", () => {
    expect(request().statistics).toBe(null);
    expect(request("--stats").statistics).toBe("text");
    expect(request("--stats=json").statistics).toBe("json");
  });

  it("explains mistakes", () => {
    expect(() => request("--stats=jsno")).toThrow(UsageError);
    expect(() => request("--stats=jsno")).toThrow('--stats: there is no "jsno"; did you mean "json"?');
    expect(() => request("--stats=yaml")).toThrow("write --stats or --stats=json");
  });
});

describe("--trace and --profile", () => {
  it("name files, rate and symbols", () => {
    expect(request()).toEqual({ statistics: null, trace: null, profile: null });
    expect(request("--trace", "t.json").trace).toBe("t.json");
    expect(request("--profile", "out/boot.svg").profile).toEqual({
      graph: "out/boot.svg",
      stacks: "out/boot.collapsed",
      period: 1e6,
      symbols: [],
    });
    const symbols = ["--symbols", "System.map", "--symbols=a@b@0x555555554000"];
    expect(request("--profile", "boot", "--profile-rate", "500", ...symbols).profile).toEqual({
      graph: "boot.svg",
      stacks: "boot.collapsed",
      period: 2e6,
      symbols: [
        { path: "System.map", base: 0n },
        { path: "a@b", base: 0x5555_5555_4000n },
      ],
    });
  });

  it.each([
    [["--trace="], "--trace needs the name of a file"],
    [["--profile", ""], "--profile needs the name of a file"],
    [["--symbols", "f"], "--symbols needs --profile"],
    [["--profile-rate", "9"], "--profile-rate needs --profile"],
    [["--profile", "p", "--profile-rate", "0"], '--profile-rate: "0" is not a whole number from 1 to 20000'],
    [
      ["--profile", "p", "--symbols", "f@here"],
      '--symbols: "here" is no address; write for example FILE@0x555555554000',
    ],
  ])("explain what is wrong with %j", (args, message) => {
    expect(() => request(...args)).toThrow(UsageError);
    expect(() => request(...args)).toThrow(message);
  });
});
