// SPDX-License-Identifier: Apache-2.0
import { assertNever, OperatorError } from "@isola/base";
import type { BalloonReport, MachineStatistics, Picture, RunOutcome } from "@isola/machine";
import type { DebugStop, DebugTarget, EventLoop, VsockDialer, VsockEvents, VsockStream } from "@isola/ports";
import { LEGAL_STATES, type VmmAction } from "./action.js";
import { DebugSession } from "./debug-session.js";
import type { StopReason, VmmEvent } from "./event.js";
import type { MachineControl } from "./machine-control.js";
import { SerialQueue } from "./serial-queue.js";
import { StateError, type VmState } from "./state.js";

/** Host time in ns that a machine takes before its host looks at its own events, if the host does not say. */
const DEFAULT_SHARE = 10e6;

/**
 * While things come from outside, the host looks so many times as often: an answer is likely to be followed by another
 * question. That ends after so many turns in which nothing came.
 */
const ATTENTION = 4;
const QUIET_TURNS = 40;

/** A machine that waits for outside events only looks again after this time in ns: a host ends when nothing is due. */
const LONG_SLEEP = 3600e9;

export interface VmOptions {
  /** What a reset by the guest does: start again, or end the machine. */
  readonly onGuestReset: "restart" | "stop";
}

/**
 * One machine and its life. All methods return at once; the machine runs in pieces on the host's event loop. After
 * `stopped` the object is of no further use; make a new one.
 */
export class Vm implements VsockDialer {
  private current: VmState = "created";
  private readonly listeners = new Set<(event: VmmEvent) => void>();
  private readonly input: SerialQueue[];
  private scheduled = false;
  /** The machine has the thread. */
  private turning = false;
  /** Turns since something came from outside. */
  private quiet = QUIET_TURNS;
  private cancelSleep: (() => void) | null = null;
  private debugged = false;
  /** Why the machine ends when it goes on: a debugger looks at it before. */
  private ending: StopReason | null = null;

  constructor(
    private readonly machine: MachineControl,
    private readonly loop: EventLoop,
    private readonly options: VmOptions,
  ) {
    this.input = Array.from(
      { length: machine.serialPorts },
      (_, port) => new SerialQueue((bytes) => machine.serialInput(port, bytes)),
    );
    machine.onWake = () => this.wake();
    machine.onSerialReady = (port) => this.serialReady(port);
  }

  get state(): VmState {
    return this.current;
  }

  /**
   * Does what is asked, or throws: {@link StateError} if the action is not legal now, OperatorError if it cannot be
   * done. A failed `start` leaves the machine `created`.
   */
  perform(action: VmmAction): void {
    const legal = LEGAL_STATES[action.type];
    if (!legal.includes(this.current)) throw new StateError(action.type, this.current, legal);
    switch (action.type) {
      case "start":
        this.machine.boot();
        return this.goOn();
      case "resume":
        return this.goOn();
      case "pause":
        this.sleepNoMore();
        this.machine.pauseTime();
        return this.change("paused");
      case "stop":
        return this.finish({ kind: "stopped" });
      case "reset":
        return this.restart();
      case "press-power-button":
        return this.machine.pressPowerButton();
      case "inject-nmi":
        return this.machine.injectNmi();
      case "serial-input":
        return this.serialQueue(action.port).push(action.bytes);
      case "key-input":
        return this.machine.keyInput(action);
      case "mouse-input":
        return this.machine.mouseInput(action);
      case "set-balloon":
        return this.machine.setBalloon(action.memory);
      default:
        assertNever(action);
    }
  }

  /**
   * Compiled guest code for the `translations` port of the next machine with the same guest and the same version of this
   * program, piece by piece, each valid until the next one is taken; null if there is no such port, or nothing new. May be called at any time, also when the machine has stopped.
   */
  saveTranslations(): Iterable<Uint8Array> | null {
    return this.machine.saveTranslations();
  }

  /** All counters at this moment, as plain data; legal in every state. The machine does not run meanwhile. */
  statistics(): MachineStatistics {
    return this.machine.statistics();
  }

  /** What the display shows now; null if the machine has none, or it is switched off. Legal in every state. */
  screen(): Picture | null {
    return this.machine.screen();
  }

  /** What the balloon holds and what the guest says of its memory; null without one. Legal in every state. */
  balloon(): BalloonReport | null {
    return this.machine.balloonState();
  }

  /** Lines of a text screen; null if there is no display, or it shows graphics or nothing. Legal in every state. */
  screenText(): string[] | null {
    return this.machine.screenText();
  }

  /**
   * Connects to a program that listens at a vsock port of the guest; null if the machine has no vsock device or its guest
   * no driver that runs. Legal in every state; while paused, the stream waits.
   */
  dial(port: number, events: VsockEvents): VsockStream | null {
    return this.current === "stopped" ? null : this.machine.dial(port, events);
  }

  /**
   * Puts a debugger in control, one at a time: the machine is paused where a triple fault would end it, and wherever the
   * debugger says, until {@link DebugTarget.detach}.
   */
  debug(): DebugTarget {
    this.debugged = true;
    return new DebugSession(this, this.machine.debugger, () => {
      this.debugged = false;
    });
  }

  /** Bytes typed into a serial port that the guest has not taken. */
  pendingInput(port: number): number {
    return this.serialQueue(port).length;
  }

  /** Calls `listener` for every event from now on; returns a function that stops that. */
  listen(listener: (event: VmmEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private serialQueue(port: number): SerialQueue {
    const queue = this.input[port];
    if (queue === undefined)
      throw new OperatorError("no-such-port", `there is no serial port ${port}; the machine has ${this.input.length}`);
    return queue;
  }

  private serialReady(port: number): void {
    const queue = this.input[port];
    if (queue === undefined || queue.length === 0) return;
    queue.drain();
    if (queue.length === 0) this.emit({ type: "input-drained", port });
  }

  private goOn(): void {
    if (this.ending !== null) return this.finish(this.ending);
    this.machine.resumeTime();
    this.change("running");
    this.schedule();
  }

  private restart(): void {
    this.ending = null;
    for (const queue of this.input) queue.clear();
    this.machine.boot();
    this.emit({ type: "restarted" });
    this.wake();
  }

  private wake(): void {
    if (!this.turning) this.quiet = 0;
    if (this.cancelSleep === null) return;
    this.sleepNoMore();
    this.schedule();
  }

  private sleepNoMore(): void {
    this.cancelSleep?.();
    this.cancelSleep = null;
  }

  private schedule(): void {
    if (this.scheduled || this.current !== "running") return;
    this.scheduled = true;
    this.loop.soon(() => {
      this.scheduled = false;
      this.turn();
    });
  }

  /** One share of the thread for the guest. */
  private turn(): void {
    if (this.current !== "running") return;
    try {
      this.settle(this.run());
    } catch (error) {
      this.finish({ kind: "failed", error });
    }
  }

  private run(): RunOutcome {
    const share = this.loop.share ?? DEFAULT_SHARE;
    const now = this.quiet < QUIET_TURNS ? share / ATTENTION : share;
    this.quiet++;
    this.turning = true;
    try {
      return this.machine.run(now);
    } finally {
      this.turning = false;
    }
  }

  private settle(outcome: RunOutcome): void {
    switch (outcome.kind) {
      case "yield":
        return this.schedule();
      case "idle":
        return this.sleep(outcome.delay);
      case "power-off":
        return this.finish({ kind: "power-off" });
      case "debug-exit":
        return this.finish({ kind: "debug-exit", status: outcome.status });
      case "debug":
        return this.stopForDebugger(outcome.vcpu, outcome.stop);
      case "shutdown": {
        const report = this.machine.describeVcpu(outcome.vcpu);
        const reason: StopReason = { kind: "triple-fault", vcpu: outcome.vcpu, report };
        if (!this.debugged) return this.finish(reason);
        this.ending = reason;
        return this.stopForDebugger(outcome.vcpu, null);
      }
      case "reset":
        if (this.options.onGuestReset === "stop") return this.finish({ kind: "reset" });
        this.restart();
        return this.schedule();
      default:
        assertNever(outcome);
    }
  }

  private stopForDebugger(vcpu: number, stop: DebugStop | null): void {
    this.machine.pauseTime();
    this.change("paused");
    this.emit({ type: "debug-stop", vcpu, stop });
  }

  private sleep(delay: number | null): void {
    this.cancelSleep = this.loop.later(delay ?? LONG_SLEEP, () => {
      this.cancelSleep = null;
      this.turn();
    });
  }

  private finish(reason: StopReason): void {
    this.sleepNoMore();
    this.machine.pauseTime();
    this.change("stopped");
    void this.machine.close().then(
      () => this.emit({ type: "stopped", reason }),
      (error: unknown) =>
        this.emit({ type: "stopped", reason: reason.kind === "failed" ? reason : { kind: "failed", error } }),
    );
  }

  private change(state: VmState): void {
    const previous = this.current;
    this.current = state;
    this.emit({ type: "state", state, previous });
  }

  private emit(event: VmmEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
