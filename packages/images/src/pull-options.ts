// SPDX-License-Identifier: Apache-2.0
import type { ProgressListener } from "./progress.js";

/** Where things come from and go to; every operation of this package takes these. */
export interface SourceOptions {
  /** Default: ISOLA_CACHE_DIR, or `isola` in the user's cache directory. */
  readonly cacheDir?: string;
  /** Base address of a Debian archive; default: ISOLA_DEBIAN_MIRROR, or the system's apt configuration. */
  readonly mirror?: string;
  /** Directory of recipes; default: `guests/` of this installation. */
  readonly recipesDir?: string;
  /** The apt configuration to read; default `/etc/apt`. */
  readonly aptDirectory?: string;
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly progress?: ProgressListener;
  /** Wait before the second attempt of a request in milliseconds; default 500. */
  readonly retryDelay?: number;
}

/** A machine that has to run once, so that a new disk gets its packages configured. */
export interface FirstBootMachine {
  readonly kernel: string;
  readonly initrd: string;
  /** A disk that may be written to; it becomes part of the image. */
  readonly disk: string;
  /** Kernel command line; with it the machine powers off when it is done. */
  readonly append: string;
  readonly signal?: AbortSignal;
}

export interface PullOptions extends SourceOptions {
  /** `debian:12`, `debian:12-dev`, `busybox`, ...; see `listRecipes`. */
  readonly reference: string;
  /** Ask the archive for newer packages even if there is a finished image in the cache. */
  readonly refresh?: boolean;
  /**
   * Runs the machine until it powers off and resolves with what it wrote to its console. With it, the packages of the
   * image's disk are configured here, once; without it, every machine made from the image does so at its first boot.
   */
  readonly firstBoot?: (machine: FirstBootMachine) => Promise<string>;
}

/** A pulled image: files in the cache, which nobody may write to. */
export interface PulledImage {
  readonly reference: string;
  /** Names the content: equal packages, recipe and builder give an equal key (64 hexadecimal digits). */
  readonly key: string;
  /** Debian's name: `amd64`, `i386`. */
  readonly architecture: string;
  /** Path of the bzImage. */
  readonly kernel: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
  /** Path of the initramfs, a cpio archive that is not compressed. */
  readonly initrd: string;
  /** Path of the raw root disk (sparse ext4, no partitions); absent when the image lives in its initramfs. */
  readonly disk?: string;
  /** Kernel command line. */
  readonly append: string;
  /** Whether the packages on the disk are configured already; if not, the first boot of a machine takes longer. */
  readonly configured: boolean;
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}
