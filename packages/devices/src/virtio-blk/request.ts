// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import type { Chain } from "../virtio/chain.js";
import type { BounceBuffers } from "./bounce-buffers.js";
import {
  CHUNK_BYTES,
  HEADER_SIZE,
  ID_LENGTH,
  MAX_RANGE_SECTORS,
  MAX_RANGES,
  RANGE_SIZE,
  RANGE_UNMAP,
  RequestStatus,
  RequestType,
  SECTOR_SIZE,
} from "./registers.js";

/** What a request is carried out against. */
export interface RequestTarget {
  readonly ram: GuestRam;
  readonly store: BlockStore;
  readonly buffers: BounceBuffers;
  /** At most 20 bytes of ASCII. */
  readonly serial: string;
  /** Whether the driver still waits for this request; after a reset its memory must not be touched. */
  isCurrent(): boolean;
  /** The store failed; the guest gets an I/O error. */
  failed(error: unknown): void;
}

/** Outcome of a request, and how many bytes of data were put into guest memory. */
export interface RequestResult {
  readonly status: RequestStatus;
  readonly written: number;
}

type MaybeLater<T> = T | Promise<T>;

const OK: RequestResult = { status: RequestStatus.Ok, written: 0 };
const IO_ERROR: RequestResult = { status: RequestStatus.IoError, written: 0 };
const UNSUPPORTED: RequestResult = { status: RequestStatus.Unsupported, written: 0 };

/** Carries out one request. Answers at once if the store does; never throws and never rejects. */
export function execute(chain: Chain, target: RequestTarget): MaybeLater<RequestResult> {
  const header = new Uint8Array(HEADER_SIZE);
  chain.read(target.ram, 0, header);
  const view = new DataView(header.buffer);
  const sector = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
  const fail = (error: unknown): RequestResult => {
    target.failed(error);
    return IO_ERROR;
  };
  try {
    const result = dispatch(view.getUint32(0, true), sector, chain, target);
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}

function dispatch(type: number, sector: number, chain: Chain, target: RequestTarget): MaybeLater<RequestResult> {
  const { store } = target;
  switch (type) {
    case RequestType.In:
      return transfer(chain, target, sector, chain.writableLength - 1, false);
    case RequestType.Out:
      if (store.readOnly) return IO_ERROR;
      return transfer(chain, target, sector, chain.readableLength - HEADER_SIZE, true);
    case RequestType.Flush:
      return after(store.flush(), () => OK);
    case RequestType.GetId:
      return getId(chain, target);
    case RequestType.Discard:
    case RequestType.WriteZeroes:
      if (store.readOnly) return IO_ERROR;
      return ranges(chain, target, type);
    default:
      return UNSUPPORTED;
  }
}

/** Continues at once, or when a promise is done. */
function after<T>(step: MaybeLater<void>, next: () => MaybeLater<T>): MaybeLater<T> {
  return step instanceof Promise ? step.then(next) : next();
}

/** Whether `[sector, sector + bytes)` is on the disk. Wild 64-bit sectors lose precision but never pass. */
function onDisk(store: BlockStore, sector: number, bytes: number): boolean {
  const capacity = Math.floor(store.size / SECTOR_SIZE) * SECTOR_SIZE;
  return bytes >= 0 && bytes % SECTOR_SIZE === 0 && sector * SECTOR_SIZE + bytes <= capacity;
}

/** Moves data between guest memory and the store, one chunk at a time. */
function transfer(
  chain: Chain,
  target: RequestTarget,
  sector: number,
  bytes: number,
  toStore: boolean,
): MaybeLater<RequestResult> {
  const { ram, store, buffers } = target;
  if (!onDisk(store, sector, bytes)) return IO_ERROR;
  const base = sector * SECTOR_SIZE;
  // Not returned after an error: the store may still have it in hand.
  const buffer = buffers.take();
  let done = 0;
  const finish = (): RequestResult => {
    buffers.give(buffer);
    return { status: RequestStatus.Ok, written: toStore ? 0 : bytes };
  };
  const run = (): MaybeLater<RequestResult> => {
    while (done < bytes) {
      if (!target.isCurrent()) return IO_ERROR;
      const piece = buffer.subarray(0, Math.min(bytes - done, CHUNK_BYTES));
      if (toStore) chain.read(ram, HEADER_SIZE + done, piece);
      const step = toStore ? store.write(base + done, piece) : store.read(base + done, piece);
      if (step instanceof Promise) return step.then(() => arrived(piece)).then(run);
      arrived(piece);
    }
    return finish();
  };
  const arrived = (piece: Uint8Array): void => {
    if (!toStore && target.isCurrent()) chain.write(ram, done, piece);
    done += piece.length;
  };
  return run();
}

function getId(chain: Chain, target: RequestTarget): RequestResult {
  const id = new Uint8Array(ID_LENGTH);
  for (let i = 0; i < Math.min(ID_LENGTH, target.serial.length); i++) id[i] = target.serial.charCodeAt(i) & 0x7f;
  const room = Math.min(ID_LENGTH, chain.writableLength - 1);
  return { status: RequestStatus.Ok, written: chain.write(target.ram, 0, id.subarray(0, room)) };
}

/** Discard and write-zeroes: every range is checked before the first is carried out. */
function ranges(chain: Chain, target: RequestTarget, type: RequestType): MaybeLater<RequestResult> {
  const { store } = target;
  const length = chain.readableLength - HEADER_SIZE;
  if (length <= 0 || length % RANGE_SIZE !== 0 || length > MAX_RANGES * RANGE_SIZE) return IO_ERROR;
  const data = new Uint8Array(length);
  chain.read(target.ram, HEADER_SIZE, data);
  const view = new DataView(data.buffer);
  const wanted: { offset: number; bytes: number }[] = [];
  for (let at = 0; at < length; at += RANGE_SIZE) {
    const sector = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
    const sectors = view.getUint32(at + 8, true);
    const flags = view.getUint32(at + 12, true);
    // The unmap flag is for write-zeroes only; unknown flags are refused (5.2.6.2).
    if ((flags & ~RANGE_UNMAP) !== 0 || (type === RequestType.Discard && flags !== 0)) return UNSUPPORTED;
    const bytes = sectors * SECTOR_SIZE;
    if (sectors > MAX_RANGE_SECTORS || !onDisk(store, sector, bytes)) return IO_ERROR;
    if (bytes > 0) wanted.push({ offset: sector * SECTOR_SIZE, bytes });
  }
  let next = 0;
  const run = (): MaybeLater<RequestResult> => {
    while (next < wanted.length) {
      const { offset, bytes } = wanted[next++];
      const step = type === RequestType.Discard ? store.discard?.(offset, bytes) : writeZeroes(store, offset, bytes);
      if (step instanceof Promise) return step.then(run);
    }
    return OK;
  };
  return run();
}

function writeZeroes(store: BlockStore, offset: number, bytes: number): MaybeLater<void> {
  const zeroes = new Uint8Array(Math.min(bytes, CHUNK_BYTES));
  let done = 0;
  const run = (): MaybeLater<void> => {
    while (done < bytes) {
      const piece = zeroes.subarray(0, Math.min(bytes - done, CHUNK_BYTES));
      const step = store.write(offset + done, piece);
      done += piece.length;
      if (step instanceof Promise) return step.then(run);
    }
  };
  return run();
}
