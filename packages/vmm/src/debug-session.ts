// SPDX-License-Identifier: Apache-2.0
import type { DebugEvent, DebugMachine, DebugResume, DebugTarget } from "@isola/ports";
import type { StopReason, VmmEvent } from "./event.js";
import type { Vm } from "./vm.js";

/** Exit status of a machine that ended by a fault, as a shell would show it of a program. */
const FAULT_STATUS = 139;

function exitStatus(reason: StopReason): number {
  switch (reason.kind) {
    case "debug-exit":
      return reason.status & 0xff;
    case "triple-fault":
    case "failed":
      return FAULT_STATUS;
    default:
      return 0;
  }
}

/** A machine in the hands of a debugger. */
export class DebugSession implements DebugTarget {
  onEvent: (event: DebugEvent) => void = () => {};
  private readonly unlisten: () => void;
  private over = false;

  constructor(
    private readonly vm: Vm,
    readonly machine: DebugMachine,
    private readonly onDetach: () => void,
  ) {
    this.unlisten = vm.listen((event) => this.hear(event));
  }

  get state(): DebugTarget["state"] {
    if (this.vm.state === "stopped") return "ended";
    return this.vm.state === "running" ? "running" : "stopped";
  }

  resume(plan: readonly DebugResume[]): void {
    if (this.vm.state !== "paused") return;
    this.machine.setResume(plan);
    this.vm.perform({ type: "resume" });
  }

  interrupt(): void {
    if (this.vm.state === "running") this.vm.perform({ type: "pause" });
    this.onEvent({ kind: "paused" });
  }

  reset(): void {
    if (this.state !== "ended") this.vm.perform({ type: "reset" });
  }

  pressPowerButton(): void {
    if (this.state !== "ended") this.vm.perform({ type: "press-power-button" });
  }

  kill(): void {
    if (this.state !== "ended") this.vm.perform({ type: "stop" });
  }

  detach(): void {
    if (this.over) return;
    this.over = true;
    this.unlisten();
    this.onDetach();
    this.machine.removeAllPoints();
    this.machine.setResume([]);
    if (this.vm.state === "paused") this.vm.perform({ type: "resume" });
  }

  private hear(event: VmmEvent): void {
    if (event.type === "debug-stop")
      this.onEvent(
        event.stop === null
          ? { kind: "triple-fault", vcpu: event.vcpu }
          : { kind: "stop", vcpu: event.vcpu, stop: event.stop },
      );
    else if (event.type === "stopped") this.onEvent({ kind: "ended", status: exitStatus(event.reason) });
  }
}
