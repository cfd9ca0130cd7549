// SPDX-License-Identifier: Apache-2.0
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { qemu } from "./contenders/qemu.js";
import { programNames } from "./debian-guest.js";
import type { Guest } from "./guest.js";
import { chooseParts } from "./measure-all.js";
import { parseOptions } from "./options.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const setting = { root, signal: new AbortController().signal, say: () => {} };
const chosen = (...args: string[]) =>
  chooseParts(parseOptions(args), ["gzip", "perl"], setting).map(({ title, only, bootOnly, scale }) => {
    return [title, only.join(), bootOnly, scale];
  });

test("programs are the files beside run.sh", async () => {
  const names = await programNames(root);
  expect(names).toContain("sqlite");
  expect(names).not.toContain("run");
});

describe("chooseParts", () => {
  test("everything", () =>
    expect(chosen()).toEqual([
      ["64-bit guest", "", false, 100],
      ["32-bit guest", "", false, 100],
      ["64-bit guest with AVX2", "", false, 100],
      ["Disk and network", "", false, 100],
      ["Debian 12", "", true, 100],
      ["Programs in Debian 12", "", false, 100],
    ]));
  test("boots only", () =>
    expect(chosen("--boot-only").map(([title]) => title)).toEqual(["64-bit guest", "32-bit guest", "Debian 12"]));
  test("one guest", () =>
    expect(chosen("--guest", "debian").map(([title]) => title)).toEqual(["Debian 12", "Programs in Debian 12"]));
  test("some programs and workloads: only the parts that have them", () => {
    expect(chosen("--only", "perl,avx2-fma")).toEqual([
      ["64-bit guest with AVX2", "avx2-fma", false, 100],
      ["Programs in Debian 12", "perl", false, 100],
    ]);
    expect(() => chosen("--only", "sort,gzip", "--guest", "i386")).toThrow("--only gzip: i386");
  });
  test("transfers", () => {
    expect(chosen("--only", "disk-raw-read,net-ping")).toEqual([
      ["Disk and network", "disk-raw-read,net-ping", false, 100],
    ]);
  });
  test("names that nothing has", () => {
    expect(() => chosen("--only", "sort", "--guest", "debian")).toThrow("--only sort: debian");
    expect(() => chosen("--only", "perl", "--guest", "i386")).toThrow("--only perl: i386");
  });
});

describe("QEMU's command", () => {
  const guest = { architecture: "amd64", kernel: "/k", initrd: "/i", append: "quiet", memoryMiB: 512 } as Guest;
  test("disks in their order; a comma in a path is doubled", () => {
    const disks = [
      { path: "/a,b.img", format: "raw", mode: "temporary" },
      { path: "/p.img", format: "raw", mode: "readonly" },
      { path: "/q.img", format: "qcow2", mode: "writable" },
    ] as const;
    const { args } = qemu().command({ ...guest, disks, avx2: false });
    const drives = args.filter((_, i) => args[i - 1] === "-drive");
    expect(drives).toEqual([
      "if=virtio,format=raw,snapshot=on,file=/a,,b.img",
      "if=virtio,format=raw,readonly=on,file=/p.img",
      "if=virtio,format=qcow2,cache=writeback,file=/q.img",
    ]);
    expect(args).not.toContain("-cpu");
  });
  test("AVX2", () => expect(qemu().command({ ...guest, disks: [], avx2: true }).args).toContain("-cpu"));
});
