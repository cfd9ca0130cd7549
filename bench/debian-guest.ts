// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdir, open, readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OperatorError } from "@isola/base";
import { bytesContent, FileTree, writeExt4 } from "@isola/images";
import { APPEND, type Guest, type GuestConsole } from "./guest.js";
import { pullImage } from "./pull.js";

const MEMORY_MIB = 512;
const PAYLOAD_SIZE = 16 << 20;
const LOGIN = /isola login: /;
const PROMPT = /root@isola:~# $/;

const CONSOLE: GuestConsole = {
  booted: LOGIN,
  prompt: PROMPT,
  // What systemd starts after the login prompt must not run beside the programs.
  setUp: "systemctl is-system-running --wait > /dev/null; mount -o ro /dev/vdb /mnt",
  list: "sh /mnt/run.sh list",
  run: (program, scale) => `sh /mnt/run.sh ${program} ${scale}`,
  timeouts: { boot: 600_000, prepare: 600_000, work: 900_000, shell: 60_000 },
};

/** The programs' names, as `run.sh` lists them. */
export async function programNames(root: string): Promise<string[]> {
  const names = (await readdir(join(root, "bench", "programs"))).filter((name) => name.endsWith(".sh"));
  return names.map((name) => name.slice(0, -".sh".length)).filter((name) => name !== "run");
}

/** Writes a disk with the programs, and the sources and the key that they work on. */
async function writePayload(root: string, target: string): Promise<void> {
  const tree = new FileTree();
  const lay = async (from: string, below: string): Promise<void> => {
    for (const entry of await readdir(from, { withFileTypes: true })) {
      const path = join(from, entry.name);
      if (entry.isDirectory()) await lay(path, `${below}${entry.name}/`);
      else tree.file(`${below}${entry.name}`, bytesContent(await readFile(path)));
    }
  };
  await lay(join(root, "bench", "programs"), "");
  await lay(join(root, "tests", "oracle", "native"), "source/");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  tree.file("rsa.pem", bytesContent(privateKey.export({ type: "pkcs8", format: "pem" }).toString()));
  const uuid = createHash("sha256").update("bench").digest().subarray(0, 16);
  const handle = await open(target, "w+");
  try {
    await writeExt4(handle, tree, { size: PAYLOAD_SIZE, uuid, label: "bench", time: Math.floor(Date.now() / 1000) });
  } finally {
    await handle.close();
  }
}

async function imageGuest(root: string, reference: string, signal: AbortSignal): Promise<Guest> {
  const { kernel, initrd, disk, append } = await pullImage(root, reference, signal);
  if (disk === undefined) throw new OperatorError("IMAGE_WITHOUT_DISK", `${reference} has no disk to boot from`);
  const manifest = JSON.parse(await readFile(join(dirname(kernel), "image.json"), "utf8")) as {
    readonly kernelRelease: string;
    readonly packages: readonly unknown[];
  };
  return {
    architecture: "amd64",
    kernel,
    initrd,
    append: `${append} ${APPEND}`,
    memoryMiB: MEMORY_MIB,
    disks: [{ path: disk, format: "raw", mode: "temporary" }],
    network: false,
    avx2: false,
    console: { ...CONSOLE, setUp: null },
    description: `image ${reference}: Linux ${manifest.kernelRelease}, ${manifest.packages.length} packages`,
    program: null,
  };
}

/** `debian:12` as it is pulled, for booting to the login prompt. */
export function prepareDebian(root: string, signal: AbortSignal): Promise<Guest> {
  return imageGuest(root, "debian:12", signal);
}

/** `debian:12-dev`, and a second disk with the programs in `build/bench` of the checkout. */
export async function preparePrograms(root: string, signal: AbortSignal): Promise<Guest> {
  const guest = await imageGuest(root, "debian:12-dev", signal);
  const payload = join(root, "build", "bench", "programs.img");
  await mkdir(dirname(payload), { recursive: true });
  await writePayload(root, payload);
  return { ...guest, disks: [...guest.disks, { path: payload, format: "raw", mode: "readonly" }], console: CONSOLE };
}
