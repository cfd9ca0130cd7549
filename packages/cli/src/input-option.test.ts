// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { MACHINE_OPTIONS, machineRequest } from "./machine-request.js";

function configOf(...words: string[]) {
  return machineRequest(parseCommandLine(words, MACHINE_OPTIONS), null, { bios: "b", videoRom: null }).config;
}

describe("input options", () => {
  it("put devices on the USB controller, behind disks", () => {
    const pc = ["--machine", "pc"];
    expect(configOf(...pc).usb).toEqual([]);
    expect(configOf(...pc, "--keyboard", "usb", "--pointer", "tablet", "--disk", "a.img,bus=usb").usb).toEqual([
      { kind: "disk", store: "0", serial: "a.img" },
      { kind: "keyboard" },
      { kind: "tablet" },
    ]);
    expect(configOf(...pc, "--keyboard", "ps2").usb).toEqual([]);
    expect(configOf("--kernel", "k", "--keyboard", "usb").usb).toEqual([{ kind: "keyboard" }]);
  });

  it("refuse what there is not", () => {
    expect(() => configOf("--machine", "pc", "--pointer", "mouse")).toThrow("there are ps2, tablet");
    expect(() => configOf("--kernel", "k", "--keyboard", "ps2")).toThrow("--keyboard ps2 needs --machine pc");
    const disks = Array.from({ length: 9 }, (_, i) => ["--disk", `${i}.img,bus=usb`]).flat();
    expect(() => configOf("--machine", "pc", ...disks)).toThrow("9 USB disks");
    expect(() => configOf("--machine", "pc", "--disk", "a.iso,bus=usb,cdrom")).toThrow("bus=ahci or bus=ide");
  });
});
