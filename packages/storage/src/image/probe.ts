// SPDX-License-Identifier: Apache-2.0
import { viewOf } from "../integers.js";

/** Formats of disk images that can be opened. */
export type DiskFormat = "raw" | "qcow2" | "vmdk" | "vhd" | "vhdx" | "iso";

export const DISK_FORMATS: readonly DiskFormat[] = ["raw", "qcow2", "vmdk", "vhd", "vhdx", "iso"];

/** Bytes at the beginning of a file by which formats are told apart. */
export const PROBE_LENGTH = 512;

/** What the first bytes of a file say it is; `format` is null if that is nothing which can be opened. */
export interface Probed {
  readonly format: DiskFormat | null;
  /** For messages. */
  readonly label: string;
}

const RAW: Probed = { format: "raw", label: "raw" };

const SIGNATURES: readonly { readonly at: number; readonly text: string; readonly probed: Probed }[] = [
  { at: 0, text: "QFI\u00fb", probed: { format: "qcow2", label: "qcow2" } },
  { at: 0, text: "KDMV", probed: { format: "vmdk", label: "VMDK" } },
  { at: 0, text: "# Disk DescriptorFile", probed: { format: "vmdk", label: "VMDK" } },
  { at: 0, text: "COWD", probed: { format: null, label: "VMDK (of ESX)" } },
  { at: 0, text: "conectix", probed: { format: "vhd", label: "VHD" } },
  { at: 0, text: "vhdxfile", probed: { format: "vhdx", label: "VHDX" } },
  { at: 0, text: "QED\0", probed: { format: null, label: "QED" } },
  { at: 64, text: "\x7f\x10\xda\xbe", probed: { format: null, label: "VDI" } },
];

function has(head: Uint8Array, at: number, text: string): boolean {
  if (at + text.length > head.length) return false;
  for (let i = 0; i < text.length; i++) if (head[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/**
 * Tells the format of an image by its first bytes and by nothing else. A fixed VHD begins with the disk itself, and an
 * ISO is a raw image: neither is ever guessed.
 */
export function probe(head: Uint8Array): Probed {
  const found = SIGNATURES.find(({ at, text }) => has(head, at, text))?.probed ?? RAW;
  // The first version of qcow shares the signature.
  if (found.format === "qcow2" && head.length >= 8 && viewOf(head).getUint32(4) === 1)
    return { format: null, label: "qcow (version 1)" };
  return found;
}
