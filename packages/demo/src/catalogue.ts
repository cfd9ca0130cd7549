// SPDX-License-Identifier: Apache-2.0
import type { DiskSource } from "@isola/host-browser";
import type { MachineConfig } from "@isola/machine";

/** A machine that the server offers. */
export interface OfferedMachine {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** Where its user sits. */
  readonly console: "serial" | "screen";
  readonly available: true;
  /** Without network cards, which the page adds. */
  readonly config: MachineConfig;
  /** Addresses of the files that the configuration names. */
  readonly files: { readonly [name: string]: string };
  readonly disks: { readonly [store: string]: DiskSource };
}

/** A machine that could not be made ready. */
export interface MissingMachine {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly available: false;
  /** One line: why, and what to do. */
  readonly reason: string;
}

/** What the page asks the server for first. */
export interface Catalogue {
  readonly machines: readonly (OfferedMachine | MissingMachine)[];
  readonly modules: { readonly helpers: string; readonly interpreter: string };
  /** Changes with the engine and the worker's script: what one version has compiled is of no use to another. */
  readonly version: string;
  /** Null: machines have no network. */
  readonly network: {
    /** Path of the relay, which wants the page's token for `token`. */
    readonly relay: string;
    readonly hostLoopback: boolean;
  } | null;
}

/** Where the page finds the catalogue. */
export const CATALOGUE_PATH = "/catalogue.json";
