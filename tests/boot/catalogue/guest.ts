// SPDX-License-Identifier: Apache-2.0
// What the table of guests is made of: other people's software, as data. run-guest.ts runs what is declared here.
import type { PulledImage } from "../../../packages/images/src/index.js";
import type { Architecture } from "../packages.js";

/** What the media of one run are made with. */
export interface Workshop {
  /** The checkout. */
  readonly root: string;
  /** A directory of this run; media are files in it, or elsewhere if they outlive it. */
  readonly scratch: string;
  /** A file of a Debian package; the package and its version go into the table. */
  file(packageName: string, path: string, architecture?: Architecture): Promise<Uint8Array>;
  /** As {@link file} for several files of one package, by path. */
  files(
    packageName: string,
    paths: readonly string[],
    architecture?: Architecture,
  ): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Names a package that a medium was made of in another way. */
  madeOf(packageName: string, version: string): void;
  /** Pulls a kernel package with a busybox initramfs for it; the packages go into the table. */
  busybox(kernelPackage: string, architecture: Architecture): Promise<PulledImage>;
  /** Files of an image that `isola pull` makes, such as `kernel` and `disk`; its packages go into the table. */
  image(reference: string): Promise<ReadonlyMap<string, string>>;
  /** Runs a verb of the command line, which must succeed. */
  isola(args: readonly string[]): Promise<void>;
  /** Something to be done when the guest has run, whatever came of it. */
  atEnd(action: () => void | Promise<void>): void;
}

/** Makes a medium or something else that options name as `@name`; resolves with what stands there, as a rule a path. */
export type Medium = (workshop: Workshop) => Promise<string>;

/** A part of the screen, in pixels from the upper left corner. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One thing that is done with a running machine, or waited for. */
export type Step =
  /** Waits for text: on the screen as it stands (lines without what trails them), or in what the serial port has sent. */
  | { readonly see: RegExp; readonly seconds?: number; readonly quote?: false }
  /** Types; `\r` is the Enter key. On a screen the keys come one by one, as from a typist. */
  | { readonly type: string }
  /** Waits until a region of the screen shows exactly the pixels whose SHA-256 this is; says what is seen there. */
  | { readonly look: Region; readonly pixels: string; readonly shows: string; readonly seconds?: number }
  /** Keeps a picture of the screen as evidence. */
  | { readonly picture: string }
  /** Waits for the end of the machine with this exit status. */
  | { readonly ends: number; readonly seconds?: number }
  /** Pulls the plug. */
  | { readonly powerCut: true };

/** From switching a machine on to its end. */
export interface Stage {
  /** Options of `isola run`, without `--display` and `--screenshot`; `@name` stands for a medium. */
  readonly options: readonly string[];
  /** Where text is read and typed; default `serial`. */
  readonly console?: "screen" | "serial";
  readonly steps: readonly Step[];
}

/** A guest that somebody else has made. */
export interface Guest {
  /** Name of its check, and key of the table. */
  readonly id: string;
  /** What it is, for the table. */
  readonly title: string;
  readonly media: Readonly<Record<string, Medium>>;
  readonly stages: readonly Stage[];
  /** Media that outlive a run in which all went well: other guests have them by `kept`, under these names. */
  readonly keeps?: Readonly<Record<string, string>>;
  /** It takes minutes: only by its name, or when the table is made. */
  readonly slow?: true;
}
