// SPDX-License-Identifier: Apache-2.0

import type { Architecture, Guest } from "../guest.js";

/** A program that takes its guest's serial port from standard input and output. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** Whether a contender can run here, and as what. */
export type Presence = { readonly version: string } | { readonly missing: string };

/** What a monitor says of itself when it ends. */
export interface SelfReport {
  /** Host time that it spent translating guest code, in milliseconds. */
  readonly translationTime: number;
}

/** A virtual machine monitor in the comparison. */
export interface Contender {
  readonly name: string;
  /** The processors it can be. */
  readonly architectures: readonly Architecture[];
  /** How it was set up, one sentence for the report. */
  readonly setup: string;
  /** It keeps something of a start for later ones, and is to do everything once before it is measured. */
  readonly rehearses: boolean;
  /** It has neither disks that are files of this host nor a network through its sockets. */
  readonly lacksHostIo?: true;
  presence(): Promise<Presence>;
  command(guest: Guest): Command;
  /** Reads what the monitor wrote to standard error until its end; null if it says nothing of itself. */
  selfReport(errors: string): SelfReport | null;
}
