// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { MACHINE_OPTIONS, machineRequest } from "./machine-request.js";

function configOf(...words: string[]) {
  return machineRequest(parseCommandLine(words, MACHINE_OPTIONS), null, { file: "b", nvram: null, videoRom: null })
    .config;
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
    const virtio = configOf("--kernel", "k", "--keyboard", "virtio", "--pointer", "virtio");
    expect([virtio.usb, virtio.virtioInputs]).toEqual([[], ["keyboard", "tablet"]]);
  });

  it("give a machine a screen and a balloon", () => {
    const { gpu, balloon } = configOf("--kernel", "k", "--gpu", "1280x800", "--balloon", "256M");
    expect([gpu, balloon]).toEqual([{ width: 1280, height: 800 }, 256 << 20]);
    expect(() => configOf("--kernel", "k", "--gpu", "big")).toThrow("1280x800");
    expect(() => configOf("--kernel", "k", "--gpu", "1x1")).toThrow("640x480");
    expect(() => configOf("--kernel", "k", "--balloon", "1G")).toThrow("balloon");
  });

  it("refuse what there is not", () => {
    expect(() => configOf("--machine", "pc", "--pointer", "mouse")).toThrow("there are ps2, tablet, virtio");
    expect(() => configOf("--kernel", "k", "--keyboard", "ps2")).toThrow("--keyboard ps2 needs --machine pc");
    const disks = Array.from({ length: 9 }, (_, i) => ["--disk", `${i}.img,bus=usb`]).flat();
    expect(() => configOf("--machine", "pc", ...disks)).toThrow("9 USB disks");
    expect(() => configOf("--machine", "pc", "--disk", "a.iso,bus=usb,cdrom")).toThrow("bus=ahci or bus=ide");
  });
});
