// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { type MaybeLater, type NvmeCommand, type Outcome, refused, SUCCESS } from "./command.js";
import { readPieces, writePieces } from "./prp.js";
import {
  BLOCK_SIZE,
  BROADCAST_NAMESPACE,
  DEALLOCATE,
  FORCE_UNIT_ACCESS,
  IoCommand,
  MAX_TRANSFER,
  NAMESPACE,
  Status,
} from "./registers.js";

/** What I/O commands are carried out against. */
export interface Namespace {
  readonly ram: GuestRam;
  readonly store: BlockStore;
  /** Whether the driver still waits; after a reset its memory must not be touched. */
  isCurrent(): boolean;
  /** Writes may stay in a cache until they are flushed. */
  writeCache(): boolean;
  /** The store failed. */
  failed(error: unknown): void;
}

const RANGE_SIZE = 16;

/** Carries out one I/O command (6). Answers at once if the store does; never throws and never rejects. */
export function executeIo(command: NvmeCommand, target: Namespace): MaybeLater<Outcome> {
  const { opcode, namespace } = command;
  const mediumError = opcode === IoCommand.Read ? Status.UnrecoveredRead : Status.WriteFault;
  const fail = (error: unknown): Outcome => {
    target.failed(error);
    return { status: mediumError, result: 0 };
  };
  if (command.unsupported) return refused(Status.InvalidField);
  const flushesAll = opcode === IoCommand.Flush && namespace === BROADCAST_NAMESPACE;
  if (namespace !== NAMESPACE && !flushesAll) return refused(Status.InvalidNamespace);
  try {
    const outcome = dispatch(command, target);
    return outcome instanceof Promise ? outcome.catch(fail) : outcome;
  } catch (error) {
    return fail(error);
  }
}

function dispatch(command: NvmeCommand, target: Namespace): MaybeLater<Outcome> {
  const { store } = target;
  switch (command.opcode) {
    case IoCommand.Flush:
      return after(store.flush(), () => SUCCESS);
    case IoCommand.Read:
      return transfer(command, target, false);
    case IoCommand.Write:
      return store.readOnly ? refused(Status.WriteToReadOnly) : transfer(command, target, true);
    case IoCommand.WriteZeroes:
      return store.readOnly ? refused(Status.WriteToReadOnly) : writeZeroes(command, target);
    case IoCommand.DatasetManagement:
      return store.readOnly ? refused(Status.WriteToReadOnly) : datasetManagement(command, target);
    default:
      return refused(Status.InvalidOpcode);
  }
}

function after<T>(step: MaybeLater<void>, next: () => MaybeLater<T>): MaybeLater<T> {
  return step instanceof Promise ? step.then(next) : next();
}

function onDisk(store: BlockStore, block: number, blocks: number): boolean {
  return block + blocks <= Math.floor(store.size / BLOCK_SIZE);
}

/** The blocks that a command names, as bytes of the store. */
function rangeOf(command: NvmeCommand, store: BlockStore): { readonly offset: number; readonly length: number } | null {
  const block = command.qword(10);
  const blocks = (command.dword(12) & 0xffff) + 1;
  return onDisk(store, block, blocks) ? { offset: block * BLOCK_SIZE, length: blocks * BLOCK_SIZE } : null;
}

/** Makes what was written stable, if the command or the lack of a cache asks for it. */
function settle(command: NvmeCommand, target: Namespace): MaybeLater<Outcome> {
  const forced = (command.dword(12) & FORCE_UNIT_ACCESS) !== 0 || !target.writeCache();
  return forced ? after(target.store.flush(), () => SUCCESS) : SUCCESS;
}

function transfer(command: NvmeCommand, target: Namespace, write: boolean): MaybeLater<Outcome> {
  const { ram, store } = target;
  const range = rangeOf(command, store);
  if (range === null) return refused(Status.OutOfRange);
  const { offset, length } = range;
  const pieces = command.pieces(length);
  if (!Array.isArray(pieces)) return refused(pieces as Status);
  const bytes = new Uint8Array(length);
  if (write) {
    readPieces(ram, pieces, bytes);
    return after(store.write(offset, bytes), () => settle(command, target));
  }
  return after(store.read(offset, bytes), () => {
    if (target.isCurrent()) writePieces(ram, pieces, bytes);
    return SUCCESS;
  });
}

/** Runs steps one after the other for as long as there are any. */
function sequence(next: () => MaybeLater<void> | null, end: () => MaybeLater<Outcome>): MaybeLater<Outcome> {
  for (;;) {
    const step = next();
    if (step === null) return end();
    if (step instanceof Promise) return step.then(() => sequence(next, end));
  }
}

function writeZeroes(command: NvmeCommand, target: Namespace): MaybeLater<Outcome> {
  const range = rangeOf(command, target.store);
  if (range === null) return refused(Status.OutOfRange);
  const zeroes = new Uint8Array(Math.min(range.length, MAX_TRANSFER));
  let done = 0;
  const next = (): MaybeLater<void> | null => {
    if (done === range.length || !target.isCurrent()) return null;
    const piece = zeroes.subarray(0, Math.min(zeroes.length, range.length - done));
    const step = target.store.write(range.offset + done, piece);
    done += piece.length;
    return step;
  };
  return sequence(next, () => settle(command, target));
}

/** Deallocates ranges (6.7); other hints are ignored. Every range is checked before the first is carried out. */
function datasetManagement(command: NvmeCommand, target: Namespace): MaybeLater<Outcome> {
  const { store } = target;
  const data = command.data(((command.dword(10) & 0xff) + 1) * RANGE_SIZE);
  if (typeof data === "number") return refused(data);
  const view = new DataView(data.buffer);
  const ranges: { readonly offset: number; readonly length: number }[] = [];
  for (let at = 0; at < data.length; at += RANGE_SIZE) {
    const blocks = view.getUint32(at + 4, true);
    const block = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 2 ** 32;
    if (!onDisk(store, block, blocks)) return refused(Status.OutOfRange);
    if (blocks > 0) ranges.push({ offset: block * BLOCK_SIZE, length: blocks * BLOCK_SIZE });
  }
  if ((command.dword(11) & DEALLOCATE) === 0) return SUCCESS;
  let index = 0;
  const next = (): MaybeLater<void> | null => {
    if (index === ranges.length || !target.isCurrent()) return null;
    const { offset, length } = ranges[index++];
    return store.discard?.(offset, length);
  };
  return sequence(next, () => SUCCESS);
}
