// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  type ClaimedName,
  claimName,
  ControlServer,
  isMachineName,
  randomMachineName,
  runtimeDirectory,
} from "@isola/control";
import { dialVsock } from "@isola/host-node";
import type { Vm } from "@isola/vmm";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import type { ConsoleHub } from "./console-hub.js";
import { stderrLog } from "./machine-files.js";
import type { MachineRequest } from "./machine-request.js";
import { UsageError } from "./usage-error.js";

export const NAME_OPTIONS: OptionSpecs = {
  name: { value: "NAME", help: "what other verbs call the machine (default: two random words)" },
  detach: { help: "run it in the background: print its name and leave; see isola ls, console, stop" },
};

const ATTEMPTS = 20;

/** The name that was asked for; null for any. Throws UsageError for one that no machine can have. */
export function nameRequest(line: CommandLine): string | null {
  const name = line.get("name");
  if (name === undefined) return null;
  if (!isMachineName(name))
    throw new UsageError(
      `--name: "${name}" is no name: use up to 40 lower-case letters, digits, ".", "_" and "-", and begin with one of the first two`,
    );
  return name;
}

function claimAny(directory: string): ClaimedName | null {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const claim = claimName(directory, randomMachineName());
    if (claim !== null) return claim;
  }
  return null;
}

/**
 * Takes a name for the machine of this process: `wanted`, or any. Throws OperatorError if a running machine has the name.
 * A machine that nobody gave a name runs without one, with a warning, where there is no place for sockets.
 */
export function takeName(wanted: string | null): ClaimedName | null {
  if (wanted === null) {
    // Sockets of Unix have no names in the file system of Windows.
    if (process.platform === "win32") return null;
    try {
      return claimAny(runtimeDirectory());
    } catch (error) {
      stderrLog.warn(`no other process can control this machine: ${error instanceof Error ? error.message : ""}`);
      return null;
    }
  }
  if (process.platform === "win32") throw new OperatorError("no-names", "--name does not work on Windows yet");
  const claim = claimName(runtimeDirectory(), wanted);
  if (claim === null)
    throw new OperatorError("name-in-use", `a machine named ${wanted} is running: stop it, or give another --name`);
  return claim;
}

/** Lets other processes control `vm` until it has stopped. */
export async function serveControl(
  claim: ClaimedName,
  vm: Vm,
  { config }: MachineRequest,
  source: string,
  console: ConsoleHub,
): Promise<void> {
  const { preset, memory, cpus } = config;
  const server = await ControlServer.listen(claim, {
    vm,
    description: { machine: preset, source, memory, cpus, startedAt: Date.now() },
    streams: {
      attachConsole: (stream) => console.attach(vm, stream),
      async dialVsock(port) {
        if (config.vsock === null)
          throw new OperatorError(
            "no-vsock-device",
            `machine ${claim.name} has no vsock device, which exec and cp need`,
          );
        const pipe = await dialVsock(vm, port);
        return (stream) => pipe.attachSocket(stream);
      },
    },
  });
  vm.listen((event) => {
    if (event.type === "stopped") server.close();
  });
}
