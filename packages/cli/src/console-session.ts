// SPDX-License-Identifier: Apache-2.0
import {
  hostReclaimer,
  monotonicClock,
  nodeEventLoop,
  onProcessEnd,
  Terminal,
  VsockToGuest,
  VsockToHost,
  WavFile,
} from "@isola/host-node";
import type { ClaimedName } from "@isola/control";
import type { UserNetwork } from "@isola/network";
import type { MachinePorts } from "@isola/machine";
import { createVm, keysOf, type StopReason, type Vm } from "@isola/vmm";
import type { BlockStore, ByteSink, EventLoop, FileTree } from "@isola/ports";
import { ConsoleHub, MAX_TYPE_AHEAD } from "./console-hub.js";
import { serveControl, takeName } from "./control-session.js";
import { reportStarted } from "./detach.js";
import { openDisks } from "./disk-option.js";
import type { GdbRequest } from "./gdb-option.js";
import { serveGdb } from "./gdb-session.js";
import { Insight } from "./insight.js";
import type { InsightRequest } from "./insight-request.js";
import { fileSink, hostPorts, readBootFile, readEngineModules } from "./machine-files.js";
import type { MachineRequest } from "./machine-request.js";
import { NETWORK_NAME, openNetwork } from "./network-session.js";
import type { PcView } from "./pc-request.js";
import { LogConsole, type OperatorConsole } from "./operator-console.js";
import { saveScreenshot } from "./screenshot.js";
import { openShares } from "./share-option.js";
import { TextDisplay } from "./text-display.js";
import { openTranslations } from "./translation-cache.js";
import { TRIPLE_FAULT_STATUS } from "./verb.js";
import type { VncRequest } from "./vnc-option.js";
import { serveVnc } from "./vnc-session.js";

const NOWHERE: ByteSink = { write: () => {} };

/** Builds a machine with its first serial port on `console`. The disks are closed again if it cannot be built. */
export async function makeVm(
  request: MachineRequest,
  console: ByteSink,
  loop: EventLoop,
  onGuestReset: "restart" | "stop",
  extra: Insight["ports"] & Pick<MachinePorts, "modules" | "audio" | "firmwareLog" | "printer" | "translations">,
  network: UserNetwork | null = null,
): Promise<Vm> {
  const files = Object.fromEntries(request.files.map((path) => [path, readBootFile(path)]));
  const stores: BlockStore[] = await openDisks(request.disks);
  let shared: FileTree[] = [];
  try {
    shared = await openShares(request.shares);
    const links = network === null ? {} : { [NETWORK_NAME]: network };
    const reclaim = request.config.balloon === null ? null : hostReclaimer();
    const ports = {
      ...hostPorts(),
      ...(reclaim !== null && { reclaim }),
      loop,
      files,
      stores: byIndex(stores),
      trees: byIndex(shared),
      links,
      vsock: new VsockToHost(request.vsock),
      serial: [console],
      ...extra,
    };
    return createVm(request.config, ports, { onGuestReset });
  } catch (error) {
    for (const one of [...stores, ...shared]) await one.close();
    throw error;
  }
}

function byIndex<T>(list: readonly T[]): Record<string, T> {
  return Object.fromEntries(list.map((one, i) => [String(i), one]));
}

/** Resolves when the machine has stopped and its disks are closed. */
export function stopped(vm: Vm): Promise<StopReason> {
  return new Promise((resolve) => {
    vm.listen((event) => {
      if (event.type === "stopped") resolve(event.reason);
    });
  });
}

/** Starts `vm`; if it cannot boot, its disks are closed before the error goes on. */
export async function start(vm: Vm): Promise<void> {
  try {
    vm.perform({ type: "start" });
  } catch (error) {
    await abandon(vm);
    throw error;
  }
}

/** Switches off a machine that has not begun. */
async function abandon(vm: Vm): Promise<void> {
  const done = stopped(vm);
  vm.perform({ type: "stop" });
  await done;
}

function statusOf(reason: StopReason): number {
  switch (reason.kind) {
    case "debug-exit":
      return reason.status & 0xff;
    case "triple-fault":
      process.stderr.write(`isola: the guest ended in a triple fault on vCPU ${reason.vcpu}\n${reason.report}\n`);
      return TRIPLE_FAULT_STATUS;
    case "failed":
      throw reason.error;
    default:
      return 0;
  }
}

export interface SessionOptions {
  readonly onGuestReset: "restart" | "stop";
  readonly insight: InsightRequest;
  readonly view: PcView;
  readonly gdb: GdbRequest | null;
  readonly vnc: VncRequest | null;
  /** What others call the machine; null for any name. */
  readonly name: string | null;
  /** What it is made from, as others see it. */
  readonly source: string;
  /** Log of a machine in the background, or null for one on this terminal. */
  readonly log: string | null;
}

/** What a session has beside its machine. */
interface Surroundings {
  readonly insight: Insight;
  readonly network: UserNetwork | null;
  readonly claim: ClaimedName | null;
}

/** Runs a machine on this process's terminal, or in the background, until it ends; resolves with the exit status. */
export async function runSession(request: MachineRequest, options: SessionOptions): Promise<number> {
  const claim = takeName(options.name);
  const release = () => claim?.release();
  process.on("exit", release);
  const insight = new Insight(options.insight);
  const network = request.network === null ? null : openNetwork(request.network, monotonicClock());
  try {
    // Before anything is shown, so that a port that is taken is the only thing said.
    await network?.publish(request.network?.publish ?? []);
    return await runMachine(request, options, { insight, network, claim });
  } finally {
    network?.close();
    insight.close();
    release();
    process.off("exit", release);
  }
}

/** Like {@link start}: the disks are closed if it fails. */
async function orAbandon(vm: Vm, task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    await abandon(vm);
    throw error;
  }
}

/** Tells the operator, or the process that waits for this one, that the machine runs. */
function announce(claim: ClaimedName | null, log: string | null): void {
  if (log !== null) return reportStarted();
  if (!process.stdin.isTTY || !process.stderr.isTTY) return;
  const name = claim === null ? "the machine" : `machine ${claim.name}`;
  process.stderr.write(`isola: Ctrl-] leaves ${name}\r\n`);
}

async function runMachine(
  request: MachineRequest,
  { onGuestReset, view, gdb, vnc, source, log }: SessionOptions,
  { insight, network, claim }: Surroundings,
): Promise<number> {
  let forced: number | null = null;
  let failure: unknown = null;
  const console: OperatorConsole =
    log !== null
      ? new LogConsole(log)
      : new Terminal({
          onInput(bytes) {
            if (view.textDisplay) return type(bytes);
            vm.perform({ type: "serial-input", port: 0, bytes });
            if (vm.pendingInput(0) > MAX_TYPE_AHEAD) console.holdInput();
          },
          onEscape: () => leave(0),
        });
  const modules = readEngineModules();
  const translations = openTranslations(request, modules);
  const hub = new ConsoleHub(view.textDisplay ? NOWHERE : console);
  const vm = await makeVm(
    request,
    hub,
    nodeEventLoop(() => console.congestion()),
    onGuestReset,
    {
      modules,
      ...insight.ports,
      ...(view.firmwareLog === null ? {} : { firmwareLog: fileSink(view.firmwareLog) }),
      ...(view.parallel === null ? {} : { printer: fileSink(view.parallel) }),
      ...(view.audio === null ? {} : { audio: new WavFile(view.audio) }),
      ...(translations === null ? {} : { translations: translations.port }),
    },
    network,
  );
  const display = new TextDisplay(vm, (text) => console.write(Buffer.from(text)));
  const type = (bytes: Uint8Array) => {
    if (vm.state !== "running") return;
    for (const input of keysOf(Buffer.from(bytes).toString("latin1"))) vm.perform({ type: "key-input", ...input });
  };
  const photograph = () => {
    if (view.screenshot !== null) saveScreenshot(vm, view.screenshot);
  };
  function leave(status: number): void {
    forced ??= status;
    if (vm.state !== "stopped") vm.perform({ type: "stop" });
  }
  const unlisten = onProcessEnd((status, error) => {
    failure ??= error;
    leave(status);
  });
  const done = stopped(vm);
  vm.listen((event) => {
    if (event.type === "input-drained") console.resumeInput();
    if (event.type === "state" && event.state === "stopped") {
      display.close();
      console.close();
    }
  });
  try {
    await orAbandon(vm, async () => {
      if (gdb !== null) await serveGdb(vm, gdb);
      if (vnc !== null) await serveVnc(vm, vnc);
      const toGuest = await VsockToGuest.listen(vm, request.vsock);
      void done.then(() => toGuest.close());
      if (claim !== null) await serveControl(claim, vm, request, source, hub);
    });
    await start(vm);
    if (gdb?.wait === true) vm.perform({ type: "pause" });
    console.open();
    if (view.textDisplay) display.open();
    if (view.screenshot !== null) process.on("SIGUSR1", photograph);
    announce(claim, log);
    const reason = await done;
    const code = vm.saveTranslations();
    if (code !== null) translations?.save(code);
    insight.show(vm, network?.counters() ?? null);
    photograph();
    if (failure !== null) throw failure;
    return forced ?? statusOf(reason);
  } finally {
    unlisten();
    translations?.close();
    process.off("SIGUSR1", photograph);
  }
}
