// SPDX-License-Identifier: Apache-2.0
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildBusyboxInitramfs, bytesContent, FileTree, type ProgressListener, writeCpio } from "@isola/images";
import { compileFolder, outputDirectory } from "./compile.js";
import { APPEND, type Architecture, type Guest, type GuestConsole } from "./guest.js";

/** The prompt of busybox's shell, which asks the terminal for its cursor after it. */
export const PROMPT = /[~/]\S* # (?:.\[6n)?$/;

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

/** A program in the initramfs of a shell. */
interface ShellProgram {
  /** Of the program in `/bin`. */
  readonly name: string;
  /** Path of the program on this host. */
  readonly path: string;
  /** Kernel modules that are loaded before the shell starts. */
  readonly modules: readonly string[];
}

/** A shell with a program in its initramfs, and nothing to talk to it yet. */
export async function prepareShell(
  root: string,
  architecture: Architecture,
  { name, path, modules }: ShellProgram,
  progress: ProgressListener,
  signal: AbortSignal,
): Promise<Omit<Guest, "console" | "program">> {
  const image = await buildBusyboxInitramfs({ arch: architecture, modules, progress, signal });
  const tree = new FileTree();
  tree.file(`bin/${name}`, bytesContent(await readFile(path)), { mode: 0o755 });
  const overlay: Uint8Array[] = [];
  for await (const chunk of writeCpio(tree)) overlay.push(chunk);
  const output = outputDirectory(root);
  // Linux unpacks one cpio archive after the other (kernel documentation, "initramfs buffer format").
  const initrd = join(output, `initrd-${name}-${architecture}.cpio`);
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
    network: false,
    avx2: false,
    description: `Linux ${image.kernelRelease} (${packages})`,
  };
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
  const program = await compileFolder(root, "guest", architecture);
  const inGuest = { name: "bench", path: program, modules: [] };
  const shell = await prepareShell(root, architecture, inGuest, progress, signal);
  return { ...shell, console: CONSOLE, program };
}

/** The same guest on a processor with AVX2, with workloads that need it. */
export async function prepareAvx2(root: string, progress: ProgressListener, signal: AbortSignal): Promise<Guest> {
  const guest = await prepareBusybox(root, "amd64", progress, signal);
  return { ...guest, avx2: true, console: { ...guest.console, list: AVX2_LIST } };
}
