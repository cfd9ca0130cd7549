// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TarMember, makeModule, makeTar } from "../../test-support/archives.js";
import { ArchiveError } from "../archive/byte-source.js";
import { contentBytes } from "../tree/content-reader.js";
import { FileTree } from "../tree/file-tree.js";
import { KernelPackage } from "./kernel-package.js";
import { ModuleIndex } from "./module-index.js";
import { readModuleInfo } from "./module-info.js";
import { installModules } from "./module-tables.js";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

const base = "./lib/modules/6.1-t";
const members: readonly TarMember[] = [
  { path: "./boot/vmlinuz-6.1-t", body: "kernel" },
  {
    path: `${base}/kernel/a.ko`,
    body: makeModule(["name=a", "depends=b,c-d", "alias=pci:v00001AF4d*sv*", "alias=net-pf-40"]),
  },
  { path: `${base}/kernel/b.ko`, body: makeModule(["name=b", "depends=c_d"]) },
  { path: `${base}/kernel/c-d.ko`, body: makeModule(["name=c_d", "depends=", "softdep=pre: crc missing post: late"]) },
  { path: `${base}/kernel/crc.ko`, body: makeModule(["name=crc", "depends="]) },
  { path: `${base}/modules.builtin`, body: "kernel/fs/ext4.ko\n" },
];

async function kernel(list = members): Promise<KernelPackage> {
  const path = join(directory, "kernel.tar");
  await writeFile(path, makeTar(list));
  return KernelPackage.read(path);
}

/** Looks up a key the way libkmod does: walk from the root, prefix by prefix. */
function lookUp(index: Uint8Array, key: string): string[] {
  const view = new DataView(index.buffer, index.byteOffset);
  const text = (at: number): string => Buffer.from(index.subarray(at, index.indexOf(0, at))).toString("latin1");
  expect([view.getUint32(0), view.getUint32(4)]).toEqual([0xb007f457, 0x00020001]);
  let place = view.getUint32(8);
  let rest = key;
  for (;;) {
    let at = place & 0x0fffffff;
    if (at === 0) return [];
    if (place & 0x80000000) {
      const prefix = text(at);
      if (!rest.startsWith(prefix)) return [];
      rest = rest.slice(prefix.length);
      at += prefix.length + 1;
    }
    let next = 0;
    if (place & 0x20000000) {
      const [first, last] = [index[at], index[at + 1]];
      const code = rest.charCodeAt(0);
      if (code >= first && code <= last) next = view.getUint32(at + 2 + 4 * (code - first));
      at += 2 + 4 * (last - first + 1);
    }
    if (rest === "") {
      const values: string[] = [];
      if (place & 0x40000000) {
        let count = view.getUint32(at);
        for (at += 4; count > 0; count--) {
          values.push(text(at + 4));
          at += 4 + text(at + 4).length + 1;
        }
      }
      return values;
    }
    if (next === 0) return [];
    place = next;
    rest = rest.slice(1);
  }
}

describe("modules", () => {
  test(".modinfo", () => {
    expect(
      readModuleInfo(makeModule(["depends=x-y,z", "softdep=pre: p q post: r", "alias=foo"]), "k/my-mod.ko"),
    ).toEqual({
      name: "my_mod",
      depends: ["x_y", "z"],
      softPre: ["p", "q"],
      aliases: ["foo"],
      softdeps: ["pre: p q post: r"],
    });
  });
  test("what is no module is an ArchiveError, however it is broken", () => {
    const good = makeModule(["name=a", "depends="]);
    expect(() => readModuleInfo(Buffer.from("no ELF"), "x.ko")).toThrow(ArchiveError);
    for (let length = 0; length < good.length - 128; length++) {
      expect(() => readModuleInfo(good.subarray(0, length), "x.ko")).toThrow(ArchiveError);
    }
    for (let at = 0; at < good.length; at++) {
      const broken = Buffer.from(good);
      broken[at] ^= 0xff;
      try {
        readModuleInfo(broken, "x.ko");
      } catch (error) {
        expect(error).toBeInstanceOf(ArchiveError);
      }
    }
  });
  test("load order: dependencies first, built-in ones left out, soft ones if there", async () => {
    const found = await kernel();
    expect(found.release).toBe("6.1-t");
    expect((await found.loadOrder(["a", "ext4"])).map(({ name }) => name)).toEqual(["crc", "c_d", "b", "a"]);
    await expect(found.loadOrder(["nope"])).rejects.toMatchObject({ code: "KERNEL_MODULE_MISSING" });
  });
  test("a package without a kernel", async () => {
    await expect(kernel([{ path: "./usr/x", body: "" }])).rejects.toMatchObject({ code: "KERNEL_MISSING" });
  });
});

describe("tables for modprobe", () => {
  test("an index finds exactly what was put in", () => {
    const index = new ModuleIndex();
    const keys = ["a", "ab", "abc", "abd", "b", "pci:v1*", ""];
    for (const key of keys) index.add(key, `value of ${key}`, 1);
    index.add("ab", "earlier", 0);
    const bytes = index.encode();
    for (const key of keys) expect(lookUp(bytes, key)).toContain(`value of ${key}`);
    expect(lookUp(bytes, "ab")).toEqual(["earlier", "value of ab"]);
    for (const key of ["c", "abcd", "pci", "pci:v1"]) expect(lookUp(bytes, key)).toEqual([]);
    expect(lookUp(new ModuleIndex().encode(), "x")).toEqual([]);
  });
  test("the files that depmod would write", async () => {
    const tree = new FileTree();
    await installModules(tree, await kernel());
    const read = async (name: string): Promise<Buffer> => {
      const node = tree.resolve(`usr/lib/modules/6.1-t/${name}`);
      return node?.kind === "file" ? Buffer.from(await contentBytes(node.content)) : Buffer.alloc(0);
    };
    expect((await read("modules.dep")).toString().split("\n")).toContain("kernel/a.ko: kernel/b.ko kernel/c-d.ko");
    expect(lookUp(await read("modules.dep.bin"), "b")).toEqual(["kernel/b.ko: kernel/c-d.ko"]);
    expect(lookUp(await read("modules.alias.bin"), "net_pf_40")).toEqual(["a"]);
    expect(lookUp(await read("modules.alias.bin"), "pci:v00001AF4d*sv*")).toEqual(["a"]);
    expect(lookUp(await read("modules.builtin.bin"), "ext4")).toEqual([""]);
    expect((await read("modules.softdep")).toString()).toBe("softdep c_d pre: crc missing post: late\n");
    expect((await read("kernel/crc.ko")).length).toBeGreaterThan(64);
  });
});
