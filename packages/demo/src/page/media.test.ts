// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_CONFIG, type MachineConfig } from "@isola/machine";
import { expect, it } from "vitest";
import { forgetful, guessDrive, insertMedia, mediumOfAddress, mediumOfFile } from "./media.js";

const PC: MachineConfig = {
  ...DEFAULT_CONFIG,
  preset: "pc",
  boot: { kind: "firmware", file: "bios", nvram: null, videoRom: null, order: ["disk", "cdrom", "floppy"] },
  ide: [{ kind: "disk", store: "disk", serial: "own" }, null, { kind: "cdrom", store: null }, null],
  floppies: [null, null],
};
const OWN = { disk: { kind: "kept", name: "pc-disk", base: null, size: 1 << 30 } } as const;
const file = (name: string, size = 10) => mediumOfFile(new File([new Uint8Array(size)], name, { lastModified: 7 }));

it("guesses drives by name and size", () => {
  expect(guessDrive("debian.ISO", null)).toBe("cdrom");
  expect(guessDrive("boot.img", 1_474_560)).toBe("floppy");
  expect(guessDrive("disk.img", 4 << 20)).toBe("disk");
  expect(mediumOfAddress("https://images.test/a%20b/tiny.iso?x").name).toBe("tiny.iso");
});

it("puts a CD and a floppy beside the own disk, and boots them first", () => {
  const { config, disks } = insertMedia({ config: PC, disks: OWN }, [file("boot.img"), file("a.iso"), file("b.iso")]);
  expect(config.ide.map((drive) => drive?.store)).toEqual(["disk", undefined, "medium-2", "medium-3"]);
  expect(config.floppies).toEqual(["medium-1", null]);
  expect(config.boot).toMatchObject({ order: ["cdrom", "floppy", "disk"] });
  expect(disks["medium-2"]).toMatchObject({ kind: "readonly" });
  expect(disks["medium-1"]).toMatchObject({ kind: "kept", name: "boot.img-10-7" });
});

it("a disk takes the place of the own one; more than fit are left out", () => {
  const media = Array.from({ length: 5 }, (_, i) => file(`disk ${i}.qcow2`, 3 << 20));
  const { config, disks } = insertMedia({ config: PC, disks: OWN }, media);
  expect(config.ide.every((drive) => drive?.kind === "disk")).toBe(true);
  expect(Object.keys(disks)).toHaveLength(4);
  expect(disks["disk"]).toBeUndefined();
  expect(Object.values(disks)[0]).toMatchObject({ name: "disk_0.qcow2-3145728-7" });
  expect(config.boot).toMatchObject({ order: ["disk", "cdrom", "floppy"] });
});

it("a microvm gets everything as virtio disks", () => {
  const microvm = { ...DEFAULT_CONFIG, boot: { kind: "kernel", kernel: "k", modules: [], commandLine: "" } } as const;
  const { config } = insertMedia({ config: microvm, disks: {} }, [file("a.iso"), file("b.img")]);
  expect(config.disks).toEqual([
    { store: "medium-0", serial: "a.iso" },
    { store: "medium-1", serial: "b.img" },
  ]);
  expect(insertMedia({ config: microvm, disks: OWN }, []).disks).toBe(OWN);
});

it("forgets changes to what has a base", () => {
  const base = { kind: "url", url: "x" } as const;
  expect(forgetful({ kind: "kept", name: "n", base, size: 0 })).toEqual({ kind: "temporary", base });
  expect(forgetful(OWN.disk)).toBe(OWN.disk);
});
