// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseDiskOption } from "./disk-option.js";

describe("--disk", () => {
  it.each([
    ["a.raw", { path: "a.raw", mode: "writable" }],
    ["a.raw,readonly", { path: "a.raw", mode: "readonly" }],
    ["a.qcow2,temporary,format=qcow2", { path: "a.qcow2", mode: "temporary", format: "qcow2" }],
    ["a,,b.raw,format=raw", { path: "a,b.raw", mode: "writable", format: "raw" }],
    ["a,,,readonly", { path: "a,", mode: "readonly" }],
    ["https://example.org/d.qcow2?a=1,temporary", { path: "https://example.org/d.qcow2?a=1", mode: "temporary" }],
    ["a,bus=nvme", { path: "a", mode: "writable", bus: "nvme" }],
    ["a,bus=ahci,cdrom", { path: "a", mode: "readonly", bus: "ahci", cdrom: true }],
  ])("takes %s", (text, option) => expect(parseDiskOption(text)).toEqual(option));

  it.each([
    ["a,readonyl", /unknown flag "readonyl"; did you mean "readonly"\?/],
    ["a,b", /unknown flag "b"; there are readonly, temporary, format=FORMAT, bus=BUS, cdrom/],
    ["a,format=qcow", /no disk format "qcow"; did you mean "qcow2"\?/],
    ["a,bus=scsi", /no bus "scsi"; there are virtio, nvme, ahci, ide/],
    ["a,cdrom", /for a CD drive, say bus=ahci or bus=ide/],
    ["a,readonly,temporary", /a is either readonly or temporary/],
  ])("refuses %s", (text, message) => expect(() => parseDiskOption(text)).toThrow(message));
});
