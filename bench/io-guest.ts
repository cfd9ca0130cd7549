// SPDX-License-Identifier: Apache-2.0
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { createFileStore } from "@isola/host-node";
import type { ProgressListener } from "@isola/images";
import { createQcow2 } from "@isola/storage";
import { prepareShell, PROMPT } from "./busybox-guest.js";
import { compileFolder, outputDirectory } from "./compile.js";
import type { Guest, GuestDisk } from "./guest.js";
import { MachineProcess } from "./machine-process.js";

const DISK_SIZE = 256 << 20;
const SERVER_TIMEOUT = 10_000;

/** Empty disks for one boot of one machine. */
async function makeDisks(root: string, machine: string): Promise<readonly GuestDisk[]> {
  const name = join(outputDirectory(root), `io-${machine.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`);
  const disks = (["raw", "qcow2"] as const).map((format) => {
    return { path: `${name}.${format}`, format, mode: "writable" } as const;
  });
  for (const { path, format } of disks) {
    await rm(path, { force: true });
    const file = createFileStore(path);
    try {
      if (format === "raw") file.resize(DISK_SIZE);
      else await createQcow2(file, { size: DISK_SIZE });
    } finally {
      file.close();
    }
  }
  return disks;
}

/** Starts the host's end of the network; its ports are in the first match. */
async function startServer(program: string): Promise<{ readonly server: MachineProcess; readonly ports: string }> {
  const server = new MachineProcess({ program, args: ["serve"] });
  try {
    const { match } = await server.expect(/^@serving (\d+ \d+)\n/m, SERVER_TIMEOUT);
    return { server, ports: match[1] };
  } catch (cause) {
    await server.stop();
    throw new OperatorError("WORKLOADS_NOT_BUILT", "this host does not run the server of bench/io", { cause });
  }
}

/**
 * A shell with disks and a network, and a program that moves data (`bench/io`), whose server runs on this host until the
 * guest is closed.
 */
export async function prepareIo(root: string, progress: ProgressListener, signal: AbortSignal): Promise<Guest> {
  const program = await compileFolder(root, "io", "amd64");
  const modules = ["virtio_pci", "virtio_blk", "virtio_net"];
  const shell = await prepareShell(root, "amd64", { name: "io", path: program, modules }, progress, signal);
  const { server, ports } = await startServer(program);
  const guest: Guest = {
    ...shell,
    network: true,
    console: {
      booted: /Isola: busybox shell on/,
      prompt: PROMPT,
      setUp: "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2",
      list: "io list",
      run: (work, scale) => `io ${scale} ${ports} ${work}`,
      timeouts: { boot: 180_000, prepare: 120_000, work: 120_000, shell: 20_000 },
    },
    program: null,
  };
  return {
    ...guest,
    equip: async (machine) => ({ ...guest, disks: await makeDisks(root, machine) }),
    close: () => server.stop(),
  };
}
