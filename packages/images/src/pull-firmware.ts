// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeChunksAtomically } from "./cache/atomic-file.js";
import { ArchiveSession } from "./debian/archive-session.js";
import { hostError } from "./host-error.js";
import { readPackageFiles } from "./package-files.js";
import type { SourceOptions } from "./pull-options.js";

/** A BIOS of a `pc`: files in the cache, which nobody may write to. */
export interface PulledFirmware {
  /** Version of the package that it is from. */
  readonly version: string;
  /** Path of a BIOS of 256 KiB. */
  readonly bios: string;
  /** Path of the expansion ROM of a Bochs-compatible display. */
  readonly videoRom: string;
}

/** UEFI firmware of a `pc`: files in the cache, which nobody may write to. */
export interface PulledUefi {
  /** Version of the package that it is from. */
  readonly version: string;
  /** Path of the firmware. */
  readonly code: string;
  /** Path of what the flash for its variables holds in a new machine. */
  readonly variables: string;
}

export interface FirmwareOptions extends SourceOptions {
  /** Ask the archive for a newer package even if there is one in the cache. */
  readonly refresh?: boolean;
}

/** Files of a package that are firmware. */
interface FirmwareSpec {
  readonly packageName: string;
  /** Names the version in the cache that is in use. */
  readonly reference: string;
  readonly folder: string;
  readonly names: readonly string[];
}

const SEABIOS = {
  packageName: "seabios",
  reference: "firmware-pc",
  folder: "usr/share/seabios",
  names: ["bios-256k.bin", "vgabios-stdvga.bin"],
} as const satisfies FirmwareSpec;

/** Without secure boot, which needs system-management mode. */
const OVMF = {
  packageName: "ovmf",
  reference: "firmware-uefi",
  folder: "usr/share/OVMF",
  names: ["OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"],
} as const satisfies FirmwareSpec;

/**
 * Brings SeaBIOS from Debian's package into the cache and says where it is. The second call needs no network. Fails with
 * an OperatorError of one line.
 */
export async function pullFirmware(options: FirmwareOptions = {}): Promise<PulledFirmware> {
  const { version, folder } = await pullFiles(SEABIOS, options);
  const [bios, videoRom] = SEABIOS.names;
  return { version, bios: join(folder, bios), videoRom: join(folder, videoRom) };
}

/** Brings OVMF from Debian's package into the cache, like {@link pullFirmware}. */
export async function pullUefi(options: FirmwareOptions = {}): Promise<PulledUefi> {
  const { version, folder } = await pullFiles(OVMF, options);
  const [code, variables] = OVMF.names;
  return { version, code: join(folder, code), variables: join(folder, variables) };
}

/** Where the files of `spec` are in the cache, once they are. */
async function pullFiles(
  { packageName, reference: name, folder: source, names }: FirmwareSpec,
  options: FirmwareOptions,
): Promise<{ version: string; folder: string }> {
  const cache = await ArchiveSession.openCache(options);
  const reference = cache.referencePath(name);
  const placed = (version: string) => ({ version, folder: cache.imagePath(`${packageName}-${version}`) });
  const known = options.refresh === true ? "" : await readFile(reference, "utf8").catch(() => "");
  if (known !== "") {
    const firmware = placed(known.trim());
    const complete = await Promise.all(names.map((file) => stat(join(firmware.folder, file)))).catch(() => null);
    if (complete !== null) return firmware;
  }
  const paths = names.map((file) => `${source}/${file}`);
  const { version, files } = await readPackageFiles({ ...options, packageName, paths });
  const work = await cache.scratch();
  try {
    const folder = join(work.path, packageName);
    await mkdir(folder);
    for (const file of names)
      await writeChunksAtomically(join(folder, file), [files.get(`${source}/${file}`) ?? new Uint8Array()]);
    await cache.publishImage(`${packageName}-${version}`, folder);
    await writeChunksAtomically(reference, [Buffer.from(`${version}\n`)]);
  } catch (error) {
    throw hostError(error, cache.root);
  } finally {
    await work.dispose();
  }
  return placed(version);
}
