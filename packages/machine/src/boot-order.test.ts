// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bootOrder } from "./boot-order.js";
import { DEFAULT_CONFIG, type MachineConfig } from "./config.js";

const disk = (store: string) => ({ kind: "disk", store, serial: "" }) as const;
const config: MachineConfig = {
  ...DEFAULT_CONFIG,
  preset: "pc",
  boot: { kind: "firmware", file: "bios", nvram: null, videoRom: null, order: [] },
  ide: [disk("0"), null, { kind: "cdrom", store: "1" }, disk("2")],
  disks: [{ store: "3", serial: "" }],
  nvme: [{ store: "4", serial: "" }],
  sata: [disk("5"), { kind: "cdrom", store: null }],
  usb: [{ kind: "tablet" }, { kind: "disk", store: "7", serial: "" }],
  floppies: [null, "6"],
  networks: [{ card: "virtio", link: "n", mac: "52:54:00:00:00:01" }],
};

const lines = (order: Parameters<typeof bootOrder>[0]): string[] => {
  const bytes = bootOrder(order, config, 31);
  expect(bytes.at(-1)).toBe(0);
  return String.fromCharCode(...bytes.subarray(0, -1)).split("\n");
};

describe("the boot order of firmware", () => {
  it("names drives and cards by their place on the bus, in the order of their kinds", () => {
    expect(lines(["network", "floppy", "cdrom", "disk"])).toEqual([
      "/pci@i0cf8/ethernet@1f/ethernet-phy@0",
      "/pci@i0cf8/isa@1/fdc@03f0/floppy@1",
      "/pci@i0cf8/ide@1,1/drive@1/disk@0",
      "/pci@i0cf8/pci8086,2922@5/drive@1/disk@0",
      "/pci@i0cf8/ide@1,1/drive@0/disk@0",
      "/pci@i0cf8/ide@1,1/drive@1/disk@1",
      "/pci@i0cf8/scsi@3/disk@0,0",
      "/pci@i0cf8/pci8086,5845@4/namespace@1,0",
      "/pci@i0cf8/pci8086,2922@5/drive@0/disk@0",
      "/pci@i0cf8/usb@6/storage@9/channel@0/disk@0,0",
      "/pci@i0cf8/usb@6/storage@1/channel@0/disk@0,0",
    ]);
  });

  it("leaves out kinds that are not to be tried", () => {
    expect(lines(["floppy"])).toEqual(["/pci@i0cf8/isa@1/fdc@03f0/floppy@1"]);
    expect(bootOrder([], config, 31)).toEqual(Uint8Array.of(0));
  });
});
