// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { buildBusyboxInitramfs, bytesContent, FileTree, type ProgressListener, writeCpio } from "@isola/images";
import { APPEND, type Architecture, type Guest, type GuestConsole } from "./guest.js";

/** The 32-bit program keeps to SSE2 as the 64-bit one does, so that "double" is not a second x87 workload. */
const FLAGS: { readonly [K in Architecture]: readonly string[] } = {
  amd64: ["-m64"],
  i386: ["-m32", "-msse2", "-mfpmath=sse"],
};

/** The prompt of busybox's shell, which asks the terminal for its cursor after it. */
const PROMPT = /[~/]\S* # (?:.\[6n)?$/;

/** Workloads that are measured apart: on a machine that has AVX2, whatever its usual processor is. */
const AVX2_LIST = "bench list avx2";

const CONSOLE: GuestConsole = {
  booted: PROMPT,
  prompt: PROMPT,
  setUp: null,
  list: "bench list",
  run: (workload, scale) => `bench ${scale} ${workload}`,
  timeouts: { boot: 180_000, prepare: 20_000, work: 120_000, shell: 20_000 },
};

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

/**
 * A guest whose shell and workloads are in its initramfs. Its files are below the root of the checkout, in
 * `build/bench`, and made anew on every call.
 */
export async function prepareBusybox(
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
    memoryMiB: 256,
    disks: [],
    avx2: false,
    console: CONSOLE,
    description: `Linux ${image.kernelRelease} (${packages})`,
    program,
  };
}

/** The same guest on a processor with AVX2, with workloads that need it. */
export async function prepareAvx2(root: string, progress: ProgressListener, signal: AbortSignal): Promise<Guest> {
  const guest = await prepareBusybox(root, "amd64", progress, signal);
  return { ...guest, avx2: true, console: { ...guest.console, list: AVX2_LIST } };
}
