// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import {
  BLOCK_SIZE,
  COMPLETION_ENTRY,
  MAX_EVENT_REQUESTS,
  NAMESPACE,
  NVME_IDENTITY,
  SUBMISSION_ENTRY,
  TRANSFER_SHIFT,
  VERSION,
} from "./registers.js";

export const IDENTIFY_SIZE = 4096;

const MODEL = "ISOLA NVME DISK";
const DEALLOCATE_SUPPORT = 1 << 2;
const WRITE_ZEROES_SUPPORT = 1 << 3;

function page(): { bytes: Uint8Array; view: DataView; text(at: number, length: number, value: string): void } {
  const bytes = new Uint8Array(IDENTIFY_SIZE);
  const text = (at: number, length: number, value: string): void => {
    for (let i = 0; i < length; i++) bytes[at + i] = value.padEnd(length).charCodeAt(i) & 0x7f;
  };
  return { bytes, view: new DataView(bytes.buffer), text };
}

/** Identify Controller (5.15.2.2). */
export function identifyController(store: BlockStore, serial: string): Uint8Array {
  const { bytes, view, text } = page();
  view.setUint16(0, NVME_IDENTITY.vendorId, true);
  view.setUint16(2, NVME_IDENTITY.subsystemVendorId, true);
  text(4, 20, serial);
  text(24, 40, MODEL);
  text(64, 8, "1.0");
  // Commands that are best sent together: 2^6.
  bytes[72] = 6;
  bytes[77] = TRANSFER_SHIFT;
  view.setUint32(80, VERSION, true);
  // An I/O controller.
  bytes[111] = 1;
  // Aborts and event requests at a time, less one.
  bytes[258] = 3;
  bytes[259] = MAX_EVENT_REQUESTS - 1;
  // One firmware slot, which cannot be written.
  bytes[260] = 3;
  // Warning and critical temperature in kelvin.
  view.setUint16(266, 343, true);
  view.setUint16(268, 373, true);
  bytes[512] = (SUBMISSION_ENTRY << 4) | SUBMISSION_ENTRY;
  bytes[513] = (COMPLETION_ENTRY << 4) | COMPLETION_ENTRY;
  view.setUint32(516, NAMESPACE, true);
  const optional = WRITE_ZEROES_SUPPORT | (store.discard === undefined ? 0 : DEALLOCATE_SUPPORT);
  view.setUint16(520, store.readOnly ? 0 : optional, true);
  // A volatile write cache; FLUSH takes the broadcast namespace.
  bytes[525] = 0x07;
  const name = `nqn.2014-08.org.nvmexpress:1b361af4${serial}`;
  for (let i = 0; i < name.length; i++) bytes[768 + i] = name.charCodeAt(i) & 0x7f;
  return bytes;
}

/** A number of 40 bits that follows from a text: its length, and FNV-1a over it. */
function hashOf(text: string): number[] {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193) >>> 0;
  return [text.length & 0xff, hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff];
}

/** The namespace's EUI-64, locally administered. */
export function namespaceIdentifier(serial: string): readonly number[] {
  return [0x52, 0x54, 0x00, ...hashOf(serial)];
}

/** Identify Namespace (5.15.2.1). */
export function identifyNamespace(store: BlockStore, serial: string): Uint8Array {
  const { bytes, view } = page();
  const blocks = BigInt(Math.floor(store.size / BLOCK_SIZE));
  for (const at of [0, 8, 16]) view.setBigUint64(at, blocks, true);
  // Deallocated blocks read as zeros or as before.
  bytes[33] = 0;
  bytes[99] = store.readOnly ? 1 : 0;
  bytes.set(namespaceIdentifier(serial), 120);
  // The one format: blocks of 2^9 bytes without metadata.
  bytes[130] = Math.log2(BLOCK_SIZE);
  return bytes;
}

/** Identifiers of namespaces greater than `after` (5.15.2.3). */
export function namespaceList(after: number): Uint8Array {
  const { bytes, view } = page();
  if (after < NAMESPACE) view.setUint32(0, NAMESPACE, true);
  return bytes;
}

/** Namespace identification descriptors (5.15.2.4): an EUI-64. */
export function identificationDescriptors(serial: string): Uint8Array {
  const { bytes } = page();
  const identifier = namespaceIdentifier(serial);
  bytes.set([1, identifier.length, 0, 0, ...identifier]);
  return bytes;
}
