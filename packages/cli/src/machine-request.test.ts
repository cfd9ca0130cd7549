// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { MACHINE_OPTIONS, machineRequest } from "./machine-request.js";
import { parseSize } from "./size.js";
import { UsageError } from "./usage-error.js";

const request = (...args: string[]) => machineRequest(parseCommandLine(args, MACHINE_OPTIONS), null);

describe("machine options", () => {
  it("describe a machine", () => {
    const { config, files, disks } = request(
      ..."--kernel k --initrd i --append a=1 --memory 1.5G --cpus 2 --disk d.raw --disk e.raw,readonly".split(" "),
    );
    expect(config).toMatchObject({
      memory: 1536 << 20,
      cpus: 2,
      boot: { kind: "kernel", kernel: "k", modules: ["i"], commandLine: "a=1" },
      disks: [
        { store: "0", serial: "d.raw" },
        { store: "1", serial: "e.raw" },
      ],
    });
    expect(files).toEqual(["k", "i"]);
    expect(disks.map(({ mode }) => mode)).toEqual(["writable", "readonly"]);
  });

  it("give a pc old devices, and refuse them to a microvm", () => {
    const pc = request(
      ..."--machine pc --sound ac97 --audio a.wav --parallel p --network user,card=rtl8139".split(" "),
    );
    expect(pc.config).toMatchObject({ preset: "pc", sound: "ac97", networks: [{ card: "rtl8139" }] });
    expect(request("--machine", "pc").config.sound).toBe(null);
    expect(() => request("--machine", "pc", "--sound", "sb16")).toThrow(UsageError);
    expect(() => request("--kernel", "k", "--sound", "ac97")).toThrow(/needs --machine pc/);
  });

  it("take what they leave open from an image", () => {
    const image = { kernel: "vmlinuz", initrd: "initrd", disk: "root.raw", append: "root=/dev/vda" };
    const line = parseCommandLine(["--append", "quiet", "--disk", "x"], MACHINE_OPTIONS);
    const { config, disks } = machineRequest(line, image);
    expect(config.boot).toMatchObject({ kernel: "vmlinuz", modules: ["initrd"], commandLine: "root=/dev/vda quiet" });
    expect(disks).toEqual([
      { path: "root.raw", mode: "temporary", format: "raw" },
      { path: "x", mode: "writable" },
    ]);
  });

  it("take a raw binary", () => {
    const { config } = request("--kernel", "boot.bin", "--load-address", "0x7c00");
    expect(config.boot).toEqual({ kind: "flat", file: "boot.bin", address: 0x7c00, mode: "real" });
  });

  it("keep compiled code where there is any", () => {
    const cache = (...args: string[]) => request("--kernel", "k", ...args).translationCache;
    expect(cache()).toBe("auto");
    expect(cache("--translation-cache", "off")).toBeNull();
    expect(cache("--translation-cache", "k.code")).toBe("k.code");
    expect(cache("--translation", "background")).toBe("auto");
    for (const translation of ["off", "at-once", "early"]) expect(cache("--translation", translation)).toBeNull();
  });

  it("lead vsock ports to sockets, and share folders", () => {
    const args = [
      "--vsock",
      "5000=/run/a.sock",
      "--vsock",
      "22=b.sock,to-guest",
      "--share",
      "a:b:c,ro",
      "--share",
      ".:x",
    ];
    const { config, vsock, shares } = request("--kernel", "k", ...args);
    expect(config.vsock).toEqual({ cid: 3 });
    expect(vsock).toEqual([
      { port: 5000, path: "/run/a.sock", direction: "to-host" },
      { port: 22, path: "b.sock", direction: "to-guest" },
    ]);
    expect(shares).toEqual([
      { path: "a:b", tag: "c", readOnly: true },
      { path: ".", tag: "x", readOnly: false },
    ]);
    expect(config.shares).toEqual([
      { tag: "c", tree: "0" },
      { tag: "x", tree: "1" },
    ]);
    // Only images of ours know what that means.
    expect(config.boot).toMatchObject({ commandLine: "" });
    const image = { kernel: "vmlinuz", initrd: "initrd", append: "quiet" };
    const ours = machineRequest(parseCommandLine(args, MACHINE_OPTIONS), image).config;
    expect(ours.boot).toMatchObject({ commandLine: "quiet isola.share=c:ro,x" });
    const pc = ["--machine", "pc", "--disk", "d"];
    expect(request(...pc).config.vsock).toBeNull();
    expect(request(...pc, "--vsock", "1=s").config.vsock).not.toBeNull();
  });

  it.each([
    [[], /nothing to boot/],
    [["--kernel", "k", "--vsock", "x=y"], /--vsock: "x=y" is not like/],
    [["--kernel", "k", "--vsock", "1=y,to-gest"], /did you mean "to-guest"/],
    [["--kernel", "k", "--vsock", "1=y", "--vsock", "1=z"], /port 1 is led to two places/],
    [["--kernel", "k", "--share", "folder"], /--share: "folder" is not like/],
    [["--kernel", "k", "--share", "folder:a b"], /"a b" is no tag/],
    [["--kernel", "k", "--share", "a:x", "--share", "b:x"], /two shared folders have the tag "x"/],
    [["--kernel", "k", "--memory", "lots"], /--memory: "lots" is no size/],
    [["--kernel", "k", "--memory", "1K"], /give whole MiB from 2/],
    [["--kernel", "k", "--memory", "9999G"], /give whole MiB/],
    [["--kernel", "k", "--cpus", "0"], /--cpus: "0" is not a whole number/],
    [["--kernel", "k", "--cpus", "99"], /99 vCPUs are not possible/],
    [["--kernel", "k", "--device", "isa-debugexit"], /did you mean "isa-debug-exit"/],
    [["--kernel", "k", "--disk", "f,readonyl"], /did you mean "readonly"/],
    [["--kernel", "k", "--clock", "sand"], /--clock: there is no "sand"; there are wall, virtual/],
    [["--kernel", "k", "--uuid", "1234"], /"1234" is no UUID/],
    [["--kernel", "k", "--nvram", "vars.fd"], /--nvram needs --machine pc/],
    [["--kernel", "k", "--mode", "long"], /--mode needs --load-address/],
    [["--kernel", "k", "--load-address", "-1"], /--load-address/],
  ])("refuse %j", (args, message) => {
    expect(() => request(...args)).toThrow(UsageError);
    expect(() => request(...args)).toThrow(message);
  });
});

describe("parseSize", () => {
  it("knows units; a bare number counts MiB", () => {
    expect(["4096K", "64m", "2GiB", "2GB", "0.5G", "16"].map((text) => parseSize(text, "x") / 2 ** 20)).toEqual([
      4, 64, 2048, 2048, 512, 16,
    ]);
  });
});
