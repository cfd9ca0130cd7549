// SPDX-License-Identifier: Apache-2.0

/** Debian's name of a guest's architecture. */
export type Architecture = "amd64" | "i386";

/** A disk that every machine gets as virtio-blk, in this order. */
export interface GuestDisk {
  readonly path: string;
  readonly format: "raw" | "qcow2";
  /** `temporary`: what the guest writes is gone when the machine ends. */
  readonly mode: "temporary" | "readonly" | "writable";
}

/** How to talk to a guest on its console. */
export interface GuestConsole {
  /** Ends the time of a boot when it appears. */
  readonly booted: RegExp;
  /** The prompt of the shell, at the end of the output. */
  readonly prompt: RegExp;
  /** A line that is typed at the first prompt; the next prompt says that it is done. Null if `booted` is the prompt. */
  readonly setUp: string | null;
  /** The line that makes the guest print its list of work (marks.ts). */
  readonly list: string;
  /** The line that does one piece of work, as much of it as `scale` says (percent). */
  run(work: string, scale: number): string;
  /** Longest waits in milliseconds. */
  readonly timeouts: { readonly boot: number; readonly prepare: number; readonly work: number; readonly shell: number };
}

/** One guest: what every machine is given. */
export interface Guest {
  readonly architecture: Architecture;
  /** Path of the bzImage. */
  readonly kernel: string;
  /** Path of the initramfs. */
  readonly initrd: string;
  /** Kernel command line. */
  readonly append: string;
  readonly memoryMiB: number;
  readonly disks: readonly GuestDisk[];
  /** A virtio card on a network through the host's sockets, where the gateway's address stands for the host's own. */
  readonly network: boolean;
  /** Whether its work needs AVX2: a monitor whose usual processor lacks it shows another, if it has one. */
  readonly avx2: boolean;
  readonly console: GuestConsole;
  /** `uname -r` and the packages, for the report. */
  readonly description: string;
  /** Path of a static Linux program that does the same work on this host; null if there is none. */
  readonly program: string | null;
  /** What one machine gets for one boot, if that is something of its own; without it every machine gets the same. */
  readonly equip?: (machine: string) => Promise<Guest>;
  /** Ends what this host has for the guest, when nothing more is measured. */
  readonly close?: () => Promise<void>;
}

/** Added to every kernel's command line: which mitigations a kernel chooses depends on the processor model it sees. */
export const APPEND = "loglevel=1 mitigations=off";
