// SPDX-License-Identifier: Apache-2.0
import type { BalloonReport, KeyInput, MachineStatistics, MouseInput, Picture, RunOutcome } from "@isola/machine";
import type { DebugMachine, VsockEvents, VsockStream } from "@isola/ports";

/** What the state machine needs of a machine; `Machine` of the machine package is one. */
export interface MachineControl {
  /** Called when an idle machine has something to do again. */
  onWake: () => void;
  /** Called when a serial port that took less than it was offered has room again. */
  onSerialReady: (port: number) => void;
  /** Power-on reset: devices, memory image, first vCPU at the boot source's entry. */
  boot(): void;
  /** Runs for about `share` ns of host time. */
  run(share: number): RunOutcome;
  /** Stops and restarts guest time. */
  pauseTime(): void;
  resumeTime(): void;
  pressPowerButton(): void;
  injectNmi(): void;
  /** Number of serial ports. */
  readonly serialPorts: number;
  /** Offers bytes to a serial port; returns how many it took. */
  serialInput(port: number, bytes: Uint8Array): number;
  /** What the display shows, as a picture and as lines of text; null if there is no such thing. */
  screen(): Picture | null;
  screenText(): string[] | null;
  keyInput(input: KeyInput): void;
  mouseInput(input: MouseInput): void;
  /** Asks for all but `memory` bytes of RAM; throws OperatorError without a balloon. */
  setBalloon(memory: number): void;
  balloonState(): BalloonReport | null;
  /** Connects to a vsock port of the guest; null if that cannot be now. */
  dial(port: number, events: VsockEvents): VsockStream | null;
  /** What a debugger sees and sets while the machine does not run. */
  readonly debugger: DebugMachine;
  /** All counters, as plain data. */
  statistics(): MachineStatistics;
  /** Compiled guest code for a later machine, or null. */
  saveTranslations(): Iterable<Uint8Array> | null;
  /** Registers of a vCPU as text, for reports. */
  describeVcpu(index: number): string;
  /** Releases disks and other handles. */
  close(): Promise<void>;
}
