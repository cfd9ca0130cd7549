// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { buildBusyboxInitramfs, bytesContent, FileTree, type ProgressListener, writeCpio } from "@isola/images";
import type { Architecture, Guest } from "./contenders/contender.js";

/** The 32-bit program keeps to SSE2 as the 64-bit one does, so that "double" is not a second x87 workload. */
const FLAGS: { readonly [K in Architecture]: readonly string[] } = {
  amd64: ["-m64"],
  i386: ["-m32", "-msse2", "-mfpmath=sse"],
};

/** The same on every monitor: which mitigations a kernel chooses depends on the processor model it sees. */
const APPEND = "loglevel=1 mitigations=off";

function compile(sources: readonly string[], architecture: Architecture, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ["-O2", "-static", "-s", ...FLAGS[architecture], "-o", target, ...sources];
    execFile("gcc", args, (error, _stdout, stderr) => {
      if (!error) return resolve();
      const reason = error.code === "ENOENT" ? "gcc is not installed" : (stderr || error.message).trim().split("\n")[0];
      const hint = "the workloads need gcc and static C libraries (Debian: gcc libc6-dev gcc-multilib)";
      reject(new OperatorError("WORKLOADS_NOT_BUILT", `${reason}; ${hint}`, { cause: error }));
    });
  });
}

/** Files below the root of the checkout, under `build/bench`, that this makes anew on every call. */
export async function prepareGuest(
  root: string,
  architecture: Architecture,
  progress: ProgressListener,
  signal: AbortSignal,
): Promise<Guest> {
  const output = join(root, "build", "bench");
  await mkdir(output, { recursive: true });
  const sources = join(root, "bench", "guest");
  const program = join(output, `bench-${architecture}`);
  const names = (await readdir(sources)).filter((name) => name.endsWith(".c"));
  await compile(
    names.map((name) => join(sources, name)),
    architecture,
    program,
  );
  const image = await buildBusyboxInitramfs({ arch: architecture, modules: [], progress, signal });
  const tree = new FileTree();
  tree.file("bin/bench", bytesContent(await readFile(program)), { mode: 0o755 });
  const overlay: Uint8Array[] = [];
  for await (const chunk of writeCpio(tree)) overlay.push(chunk);
  // Linux unpacks one cpio archive after the other (kernel documentation, "initramfs buffer format").
  const initrd = join(output, `initrd-${architecture}.cpio`);
  await writeFile(initrd, Buffer.concat([await readFile(image.initrd), ...overlay]));
  // The cache may be cleared while this runs.
  const kernel = join(output, `vmlinuz-${architecture}`);
  await copyFile(image.kernel, kernel);
  const packages = image.packages.map(({ name, version }) => `${name} ${version}`).join(", ");
  return {
    architecture,
    kernel,
    initrd,
    append: `${image.append} ${APPEND}`,
    description: `Linux ${image.kernelRelease} (${packages})`,
    program,
  };
}
