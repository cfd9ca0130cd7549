// SPDX-License-Identifier: Apache-2.0
import { SECTOR_SIZE } from "./registers.js";

/** How the sectors of a disk are laid out, and the CMOS code of a drive that reads it. */
export interface FloppyGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
  readonly driveType: number;
}

const TYPE_360K = 1;
const TYPE_1200K = 2;
const TYPE_720K = 3;
const TYPE_1440K = 4;
const TYPE_2880K = 5;

/** Formats of PCs, smallest first; those with extra sectors or tracks are of installation disks. */
const FORMATS: readonly FloppyGeometry[] = [
  { cylinders: 40, heads: 1, sectors: 8, driveType: TYPE_360K },
  { cylinders: 40, heads: 1, sectors: 9, driveType: TYPE_360K },
  { cylinders: 40, heads: 2, sectors: 8, driveType: TYPE_360K },
  { cylinders: 40, heads: 2, sectors: 9, driveType: TYPE_360K },
  { cylinders: 80, heads: 2, sectors: 9, driveType: TYPE_720K },
  { cylinders: 80, heads: 2, sectors: 15, driveType: TYPE_1200K },
  { cylinders: 80, heads: 2, sectors: 18, driveType: TYPE_1440K },
  { cylinders: 80, heads: 2, sectors: 21, driveType: TYPE_1440K },
  { cylinders: 82, heads: 2, sectors: 21, driveType: TYPE_1440K },
  { cylinders: 80, heads: 2, sectors: 36, driveType: TYPE_2880K },
];

/** The drive that a machine has when nothing is in it: 1.44 MB. */
export const DEFAULT_DRIVE_TYPE = TYPE_1440K;

function sectorsOf({ cylinders, heads, sectors }: FloppyGeometry): number {
  return cylinders * heads * sectors;
}

/** The smallest format that holds an image of `bytes`, or null: it is no floppy. */
export function floppyGeometry(bytes: number): FloppyGeometry | null {
  return FORMATS.find((format) => sectorsOf(format) * SECTOR_SIZE >= bytes) ?? null;
}
