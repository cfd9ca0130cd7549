// SPDX-License-Identifier: Apache-2.0
// VMware Virtual Disk Format 1.1, "The Descriptor File".
import { damaged, unsupported } from "../image-error.js";

const SECTOR = 512;
const MAX_EXTENTS = 1024;
/** A disk without a parent. */
const NO_PARENT = "ffffffff";

export type ExtentType = "flat" | "sparse" | "zero";

/** A part of the disk, kept in a file. */
export interface ExtentLine {
  readonly type: ExtentType;
  /** Bytes of the disk. */
  readonly size: number;
  /** Empty for zeros. */
  readonly file: string;
  /** Byte of the file where it begins. */
  readonly offset: number;
}

export interface Descriptor {
  readonly createType: string;
  readonly extents: readonly ExtentLine[];
  /** File of the disk that shows where this one has nothing. */
  readonly parent: string | null;
}

const EXTENT = /^(?:RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)(?:\s+"([^"]*)")?(?:\s+(\d+))?\s*$/;
const SETTING = /^(\w[\w.]*)\s*=\s*"?([^"]*)"?\s*$/;

function extentOf(name: string, match: RegExpExecArray): ExtentLine {
  const [, sectors = "0", type = "", file = "", offset = "0"] = match;
  const size = Number(sectors) * SECTOR;
  const start = Number(offset) * SECTOR;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(start))
    throw damaged(name, `an extent of ${sectors} sectors`);
  switch (type) {
    case "FLAT":
    case "VMFS":
      return { type: "flat", size, file, offset: start };
    case "SPARSE":
      return { type: "sparse", size, file, offset: 0 };
    case "ZERO":
      return { type: "zero", size, file: "", offset: 0 };
    default:
      throw unsupported(name, `has an extent of type ${type}, which is not supported; convert it first`);
  }
}

/** Reads the text of a descriptor. Throws OperatorError if it makes no sense. */
export function parseDescriptor(name: string, text: string): Descriptor {
  const extents: ExtentLine[] = [];
  const settings = new Map<string, string>();
  for (const line of text.split(/\r?\n|\0/)) {
    const extent = EXTENT.exec(line.trim());
    if (extent !== null) {
      extents.push(extentOf(name, extent));
      if (extents.length > MAX_EXTENTS) throw damaged(name, "it has too many extents");
      continue;
    }
    const setting = SETTING.exec(line.trim());
    if (setting !== null) settings.set(setting[1].toLowerCase(), setting[2]);
  }
  if (extents.length === 0) throw damaged(name, "its descriptor names no extents");
  const parentId = (settings.get("parentcid") ?? NO_PARENT).toLowerCase();
  const parent = settings.get("parentfilenamehint") ?? null;
  if (parentId !== NO_PARENT && parent === null) throw damaged(name, "its descriptor does not say where its parent is");
  return {
    createType: settings.get("createtype") ?? "",
    extents,
    parent: parentId === NO_PARENT ? null : parent,
  };
}
