// SPDX-License-Identifier: Apache-2.0

/** Debian's name of a guest's architecture. */
export type Architecture = "amd64" | "i386";

/** One guest: what every machine is given. */
export interface Guest {
  readonly architecture: Architecture;
  /** Path of the bzImage. */
  readonly kernel: string;
  /** Path of the initramfs: busybox, and the workloads as /bin/bench. */
  readonly initrd: string;
  /** Kernel command line. */
  readonly append: string;
  /** `uname -r` and the packages, for the report. */
  readonly description: string;
  /** Path of the workloads, built for this host's own processor too: they are static Linux programs. */
  readonly program: string;
}

/** Memory of every machine in MiB. */
export const MEMORY_MIB = 256;

/** A program that takes its guest's serial port from standard input and output. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** Whether a contender can run here, and as what. */
export type Presence = { readonly version: string } | { readonly missing: string };

/** A virtual machine monitor in the comparison. */
export interface Contender {
  readonly name: string;
  /** The guests it can run. */
  readonly architectures: readonly Architecture[];
  /** How it was set up, one sentence for the report. */
  readonly setup: string;
  presence(): Promise<Presence>;
  command(guest: Guest): Command;
}
