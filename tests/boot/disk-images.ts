// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { ensureEnds, GuestShell } from "./guest-shell.js";
import { isola, IsolaProcess } from "./isola-process.js";
import { pullOrSkip } from "./pull.js";

const SIZE_MIB = 32;
/** Hash of what lies behind the part of the disk that is written while the machine is killed. */
const TAIL_HASH = "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=64k skip=300 2>/dev/null | sha256sum";

async function shellOf(process: IsolaProcess): Promise<GuestShell> {
  await process.expect(/Isola: busybox shell on/);
  await process.expect(/# /);
  return new GuestShell(process);
}

async function disk(context: CheckContext, name: string, ...args: string[]): Promise<string> {
  const result = await isola(context, { name: `disk-images-${name}`, args: ["disk", ...args] });
  ensureEqual([result.status, result.errors], [0, ""], `isola disk ${args.join(" ")}`);
  return result.output;
}

/** Where QEMU is, it has to find the image sound too; lost space is allowed. */
function ensureSound(context: CheckContext, image: string): void {
  const { status, error, stdout } = spawnSync("qemu-img", ["check", image], { cwd: context.scratch, encoding: "utf8" });
  if (error !== undefined) context.note("qemu-img is not here: only the own check looked at the image");
  else ensure(status === 0 || status === 3, `qemu-img check: status ${status}\n${stdout}`);
}

/**
 * A guest writes to a qcow2 over a raw image, and the process is killed in the middle of more writes: what the guest
 * had flushed is there in the next machine.
 */
const killed: Check = {
  name: "disk-images-killed",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const base = new Uint8Array(SIZE_MIB << 20);
    for (let i = 0; i < base.length; i += 3000) base[i] = i >> 12;
    writeFileSync(join(context.scratch, "base.raw"), base);
    await disk(context, "create", "create", "top.qcow2", "--backing", "base.raw", "--cluster", "4K");
    const args = ["run", "busybox", "--disk", "top.qcow2"];
    const first = new IsolaProcess(context, { name: "disk-images-killed-first", args });
    let hash = "";
    try {
      const shell = await shellOf(first);
      await shell.must("dd if=/dev/urandom of=/dev/vda bs=4k count=1500 seek=5000 conv=fsync,notrunc 2>&1");
      await shell.must("dd if=/dev/urandom of=/dev/vda bs=1k count=100 seek=29001 conv=fsync,notrunc 2>&1");
      hash = await shell.must(TAIL_HASH);
      first.send("while true; do dd if=/dev/zero of=/dev/vda bs=64k count=300 conv=fsync,notrunc 2>&1; done\n");
      // Somewhere in the third round.
      await first.expect(/(300\+0 records out[^]*){2}/);
    } finally {
      first.kill();
      await first.result();
    }
    ensureSound(context, "top.qcow2");
    const second = new IsolaProcess(context, { name: "disk-images-killed-second", args });
    try {
      const shell = await shellOf(second);
      ensureEqual(await shell.must(TAIL_HASH), hash, "what the second machine reads");
      await shell.must("dd if=/dev/urandom of=/dev/vda bs=64k count=300 conv=fsync,notrunc 2>&1");
      ensureEqual(await shell.must(TAIL_HASH), hash, "what the second machine reads after more writes");
      await ensureEnds(context, second, "poweroff -f");
    } finally {
      second.kill();
    }
    await disk(context, "repair", "check", "top.qcow2", "--repair");
    const report = await disk(context, "check", "check", "top.qcow2");
    ensure(report.startsWith("no errors"), `isola disk check finds errors:\n${report}`);
    ensureSound(context, "top.qcow2");
    ensure(readFileSync(join(context.scratch, "base.raw")).equals(base), "the base has changed");
  },
};

/** A disk on a web server is read by ranges, and a guest may write to a temporary layer over it. */
const remote: Check = {
  name: "disk-images-remote",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const base = randomBytes(SIZE_MIB << 20);
    let sent = 0;
    const server = createServer((request, response) => {
      const [, from = "0", to = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      const part = base.subarray(Number(from), Number(to) + 1);
      sent += part.length;
      response.writeHead(206, { "content-range": `bytes ${from}-${to}/${base.length}`, etag: '"1"' });
      response.end(part);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.raw`;
    const args = ["run", "busybox", "--disk", `${url},temporary,format=raw`];
    const machine = new IsolaProcess(context, { name: "disk-images-remote", args });
    try {
      const shell = await shellOf(machine);
      await shell.must("dd if=/dev/vda bs=1M count=1 skip=20 2>/dev/null | sha256sum");
      ensure(sent < 12 << 20, `${sent} bytes were fetched for 1 MiB in the middle`);
      const hash = createHash("sha256").update(base).digest("hex");
      ensureEqual(await shell.must("sha256sum < /dev/vda"), `${hash}  -`, "the hash of the disk");
      await shell.must("dd if=/dev/zero of=/dev/vda bs=1M count=3 seek=2 conv=fsync,notrunc 2>&1");
      base.fill(0, 2 << 20, 5 << 20);
      const changed = createHash("sha256").update(base).digest("hex");
      await shell.must("echo 3 > /proc/sys/vm/drop_caches");
      ensureEqual(await shell.must("sha256sum < /dev/vda"), `${changed}  -`, "the hash after changes");
      await ensureEnds(context, machine, "poweroff -f");
    } finally {
      machine.kill();
      server.closeAllConnections();
      server.close();
    }
  },
};

/** Disks on NVMe controllers: what is written is there, and what is discarded is gone. */
const nvme: Check = {
  name: "disk-nvme",
  async run(context) {
    await pullOrSkip(context, "busybox");
    const base = randomBytes(SIZE_MIB << 20);
    writeFileSync(join(context.scratch, "base.raw"), base);
    await disk(context, "create", "create", "top.qcow2", "--backing", "base.raw");
    const args = ["run", "busybox", "--disk", "base.raw,readonly,bus=nvme", "--disk", "top.qcow2,bus=nvme"];
    const machine = new IsolaProcess(context, { name: "disk-nvme", args });
    try {
      const shell = await shellOf(machine);
      ensureEqual(await shell.must("cat /sys/block/nvme0n1/ro /sys/block/nvme1n1/ro"), "1\n0", "what is read-only");
      const hash = (bytes: Uint8Array): string => `${createHash("sha256").update(bytes).digest("hex")}  -`;
      ensureEqual(await shell.must("sha256sum < /dev/nvme0n1"), hash(base), "the hash of the first disk");
      await shell.must("dd if=/dev/nvme0n1 of=/dev/nvme1n1 bs=1M count=4 skip=4 conv=fsync,notrunc 2>&1");
      await shell.must("echo 3 > /proc/sys/vm/drop_caches");
      base.copyWithin(0, 4 << 20, 8 << 20);
      ensureEqual(await shell.must("sha256sum < /dev/nvme1n1"), hash(base), "the hash after a write");
      await shell.must("blkdiscard -o 1048576 -l 1048576 /dev/nvme1n1 && echo 3 > /proc/sys/vm/drop_caches");
      base.fill(0, 1 << 20, 2 << 20);
      ensureEqual(await shell.must("sha256sum < /dev/nvme1n1"), hash(base), "the hash after a discard");
      await ensureEnds(context, machine, "poweroff -f");
    } finally {
      machine.kill();
    }
  },
};

export const diskImages: readonly Check[] = [killed, remote, nvme];
