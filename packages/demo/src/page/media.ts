// SPDX-License-Identifier: Apache-2.0
import type { DiskSource, ImageSource } from "@isola/host-browser";
import type { DriveConfig, MachineConfig } from "@isola/machine";

/** The drives that an image can be put into. */
export const DRIVES = ["cdrom", "disk", "floppy"] as const;
export type Drive = (typeof DRIVES)[number];

/** An image of the user's, and where it goes. */
export interface Medium {
  readonly name: string;
  readonly source: ImageSource;
  /** Bytes; null for one on a web server. */
  readonly size: number | null;
  /** Tells it from another one of the same name. */
  readonly version: string;
  drive: Drive;
}

const MAX_FLOPPY = 2_949_120;
const MAX_NAME = 60;

/** What an image most likely is. */
export function guessDrive(name: string, size: number | null): Drive {
  if (/\.(iso|cdr)$/i.test(name)) return "cdrom";
  return size !== null && size <= MAX_FLOPPY ? "floppy" : "disk";
}

export function mediumOfFile(file: File): Medium {
  const { name, size, lastModified } = file;
  const source = { kind: "file", name, file } as const;
  return { name, source, size, version: `${size}-${lastModified}`, drive: guessDrive(name, size) };
}

export function mediumOfAddress(url: string): Medium {
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "") || url;
  return { name, source: { kind: "url", url }, size: null, version: "web", drive: guessDrive(name, null) };
}

/** Where changes to an image are kept. */
function keptName({ name, version }: Medium): string {
  return `${name.replace(/[^\w.-]/g, "_").slice(-MAX_NAME)}-${version}`;
}

export interface Media {
  readonly config: MachineConfig;
  readonly disks: { readonly [store: string]: DiskSource };
}

/** Turns a disk that is kept into one whose changes are forgotten, if it has a base; an empty one starts empty anyway. */
export function forgetful(source: DiskSource): DiskSource {
  return source.kind === "kept" && source.base !== null ? { kind: "temporary", base: source.base } : source;
}

/** Units of the IDE channels in which CDs and disks are put first. */
const CDROM_UNITS = [2, 3, 1, 0];
const DISK_UNITS = [0, 1, 3, 2];

/**
 * Puts images into the drives of a machine. On a `pc` a disk takes the place of its own one, and what was put in is
 * booted first; a microvm gets all of them as virtio disks.
 */
export function insertMedia({ config, disks }: Media, media: readonly Medium[]): Media {
  if (media.length === 0) return { config, disks };
  const stores: { [store: string]: DiskSource } = { ...disks };
  const add = (medium: Medium): string => {
    const store = `medium-${Object.keys(stores).length}`;
    stores[store] =
      medium.drive === "cdrom"
        ? { kind: "readonly", base: medium.source }
        : { kind: "kept", name: keptName(medium), base: medium.source, size: 0 };
    return store;
  };
  const serial = ({ name }: Medium): string => name.replace(/[^\x21-\x7e]/g, "_").slice(0, 20);
  if (config.preset !== "pc") {
    const more = media.map((medium) => ({ store: add(medium), serial: serial(medium) }));
    return { config: { ...config, disks: [...config.disks, ...more] }, disks: stores };
  }
  const ide: (DriveConfig | null)[] = [...config.ide];
  const floppies = [...config.floppies];
  const ownDisk = ide[0];
  if (ownDisk?.kind === "disk" && media.some(({ drive }) => drive === "disk")) {
    delete stores[ownDisk.store];
    ide[0] = null;
  }
  const free = (unit: number): boolean => {
    const there = ide[unit] ?? null;
    return there === null || (there.kind === "cdrom" && there.store === null);
  };
  for (const medium of media) {
    if (medium.drive === "floppy") {
      const at = floppies.indexOf(null);
      if (at >= 0) floppies[at] = add(medium);
      continue;
    }
    const unit = (medium.drive === "cdrom" ? CDROM_UNITS : DISK_UNITS).find(free);
    if (unit === undefined) continue;
    const store = add(medium);
    ide[unit] = medium.drive === "cdrom" ? { kind: "cdrom", store } : { kind: "disk", store, serial: serial(medium) };
  }
  const first = DRIVES.filter((drive) => media.some((medium) => medium.drive === drive)).toSorted(
    (a, b) => Number(a === "disk") - Number(b === "disk"),
  );
  const order = [...first, ...DRIVES.filter((drive) => !first.includes(drive))];
  const boot = config.boot.kind === "firmware" ? { ...config.boot, order } : config.boot;
  return { config: { ...config, boot, ide, floppies }, disks: stores };
}
