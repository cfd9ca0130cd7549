// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { nodeEventLoop } from "@isola/host-node";
import { type FirstBootMachine, type PulledImage, pullImage } from "@isola/images";
import { DEFAULT_CONFIG } from "@isola/machine";
import { makeVm, start, stopped } from "./console-session.js";
import { diskSerial, readEngineModules } from "./machine-files.js";
import { ProgressBar } from "./progress-bar.js";

/** What a first boot may print before the oldest part is dropped. */
const MAX_TRANSCRIPT = 1 << 20;

/** Runs a machine without a terminal until it powers off; resolves with what its console showed. */
async function runFirstBoot(machine: FirstBootMachine): Promise<string> {
  let transcript = "";
  const decoder = new TextDecoder();
  const sink = {
    write(bytes: Uint8Array) {
      transcript += decoder.decode(bytes, { stream: true });
      if (transcript.length > 2 * MAX_TRANSCRIPT) transcript = transcript.slice(-MAX_TRANSCRIPT);
    },
  };
  const { kernel, initrd, disk, append, signal } = machine;
  const config = {
    ...DEFAULT_CONFIG,
    boot: { kind: "kernel", kernel, modules: [initrd], commandLine: append },
    disks: [{ store: "0", serial: diskSerial(disk) }],
  } as const;
  const request = {
    config,
    files: [kernel, initrd],
    disks: [{ path: disk, mode: "writable", format: "raw" }],
    network: null,
    // The first boot of an image happens once.
    translationCache: null,
    vsock: [],
    shares: [],
  } as const;
  const vm = await makeVm(request, sink, nodeEventLoop(), "stop", { modules: readEngineModules() });
  const done = stopped(vm);
  await start(vm);
  const abort = () => {
    if (vm.state !== "stopped") vm.perform({ type: "stop" });
  };
  signal?.addEventListener("abort", abort);
  try {
    const reason = await done;
    signal?.throwIfAborted();
    if (reason.kind === "failed") throw reason.error;
    if (reason.kind !== "power-off")
      throw new OperatorError(
        "first-boot",
        `the image's first boot ended with ${reason.kind} instead of switching itself off`,
      );
    return transcript;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Pulls an image with a progress line on standard error. Ctrl-C cancels; what has been downloaded stays. */
export async function pullWithProgress(reference: string, refresh: boolean): Promise<PulledImage> {
  const { stderr } = process;
  const bar = new ProgressBar(
    {
      isTTY: stderr.isTTY ?? false,
      get columns() {
        return stderr.columns ?? 80;
      },
      write: (text) => void stderr.write(text),
    },
    () => performance.now(),
  );
  const cancel = new AbortController();
  const onInterrupt = () => cancel.abort(new OperatorError("cancelled", "cancelled; run it again to go on"));
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    return await pullImage({
      reference,
      refresh,
      signal: cancel.signal,
      progress: (event) => bar.show(event),
      firstBoot: runFirstBoot,
    });
  } finally {
    bar.clear();
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}
