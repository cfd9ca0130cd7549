// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeChunksAtomically } from "./cache/atomic-file.js";
import { ArchiveSession } from "./debian/archive-session.js";
import { hostError } from "./host-error.js";
import { readPackageFiles } from "./package-files.js";
import type { SourceOptions } from "./pull-options.js";

/** Firmware of a `pc`: files in the cache, which nobody may write to. */
export interface PulledFirmware {
  /** Version of the package that it is from. */
  readonly version: string;
  /** Path of a BIOS of 256 KiB. */
  readonly bios: string;
  /** Path of the expansion ROM of a Bochs-compatible display. */
  readonly videoRom: string;
}

export interface FirmwareOptions extends SourceOptions {
  /** Ask the archive for a newer package even if there is one in the cache. */
  readonly refresh?: boolean;
}

const PACKAGE = "seabios";
const REFERENCE = "firmware-pc";
const FOLDER = "usr/share/seabios";
const BIOS = "bios-256k.bin";
const VIDEO_ROM = "vgabios-stdvga.bin";

/**
 * Brings SeaBIOS from Debian's package into the cache and says where it is. The second call needs no network. Fails with
 * an OperatorError of one line.
 */
export async function pullFirmware(options: FirmwareOptions = {}): Promise<PulledFirmware> {
  const cache = await ArchiveSession.openCache(options);
  const reference = cache.referencePath(REFERENCE);
  const placed = (version: string): PulledFirmware => {
    const folder = cache.imagePath(`${PACKAGE}-${version}`);
    return { version, bios: join(folder, BIOS), videoRom: join(folder, VIDEO_ROM) };
  };
  const known = options.refresh === true ? "" : await readFile(reference, "utf8").catch(() => "");
  if (known !== "") {
    const firmware = placed(known.trim());
    const complete = await Promise.all([stat(firmware.bios), stat(firmware.videoRom)]).catch(() => null);
    if (complete !== null) return firmware;
  }
  const paths = [BIOS, VIDEO_ROM].map((name) => `${FOLDER}/${name}`);
  const { version, files } = await readPackageFiles({ ...options, packageName: PACKAGE, paths });
  const work = await cache.scratch();
  try {
    const folder = join(work.path, PACKAGE);
    await mkdir(folder);
    for (const name of [BIOS, VIDEO_ROM])
      await writeChunksAtomically(join(folder, name), [files.get(`${FOLDER}/${name}`) ?? new Uint8Array()]);
    await cache.publishImage(`${PACKAGE}-${version}`, folder);
    await writeChunksAtomically(reference, [Buffer.from(`${version}\n`)]);
  } catch (error) {
    throw hostError(error, cache.root);
  } finally {
    await work.dispose();
  }
  return placed(version);
}
