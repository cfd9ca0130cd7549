// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { RecordField, RECORD_SIZE, type Value } from "@isola/engine";
import { fillI32, fillI64, fillIndex, type Mark } from "@isola/wasm";
import type { RegionBlock } from "./region.js";

const PAGE = 4096;

/**
 * Numbers in the code of a region that depend on where its blocks and their bytes are, so that the code itself is the
 * same wherever they are.
 */
export const enum RelocationKind {
  /** i32: address of a block's header. */
  Header,
  /** i32: address of a record. */
  Record,
  /** i32: address of a record's link. */
  LinkTaken,
  LinkNotTaken,
  /** i32: offset in RAM of the page of a block, and of the page with the rest of an instruction that straddles two. */
  Page,
  SecondPage,
  /** i32: displacement of a record. */
  Displacement,
  /** i32: the same, relative to the start of the block's page, from the start of the region's first page. */
  FarDisplacement,
  /** i32: immediate of a record, which fits. */
  Immediate,
  /** i64: immediate of a record. */
  LongImmediate,
  /** Index of the function of a helper. */
  Helper,
}

const KIND_BITS = 4;
const BLOCK_BITS = 8;

/**
 * The meaning of a {@link Mark}.
 * @param block number of the block in its region
 * @param detail number of the record in its block, or of the helper
 */
export function relocation(kind: RelocationKind, block: number, detail: number): number {
  assert(block >= 0 && block < 1 << BLOCK_BITS, "a region has fewer blocks");
  return kind | (block << KIND_BITS) | (detail << (KIND_BITS + BLOCK_BITS));
}

/** A constant that is only known when the region is put in its place. */
export class Relocated implements Value {
  readonly local = -1;
  readonly constant = null;

  constructor(
    /** i64 with a number of an i32: that one, sign-extended. */
    readonly type: "i32" | "i64",
    readonly kind: RelocationKind,
    readonly block: number,
    readonly detail: number,
  ) {}

  /** The low 32 bits. */
  get narrow(): Relocated | null {
    if (this.kind === RelocationKind.LongImmediate) return null;
    return this.type === "i32" ? this : new Relocated("i32", this.kind, this.block, this.detail);
  }
}

/** From these numbers down to the lowest i32 lie a kernel's code and data, which it places anew at every start. */
const HIGHEST_ADDRESS = -(1 << 24);

/** Whether a constant of an instruction may be an address that is another one when the same code is loaded again. */
export function mayBeAddress(value: number | bigint): boolean {
  return value < HIGHEST_ADDRESS;
}

/** A kernel's code and data are within so many bytes of each other; what code refers to beyond that is no part of it. */
const MAX_DISTANCE = 1 << 26;

/** The same for a displacement from an instruction: per-CPU data stays where it is when the kernel does not. */
export function mayLeaveImage(displacement: number): boolean {
  return Math.abs(displacement) > MAX_DISTANCE;
}

/**
 * Fills in what {@link relocation} describes.
 * @param functionOf index of the function of a helper
 */
export function relocate(
  code: Uint8Array,
  marks: readonly Mark[],
  blocks: readonly RegionBlock[],
  view: DataView,
  functionOf: (helper: number) => number,
): void {
  for (const { offset, meaning } of marks) {
    const kind = meaning & ((1 << KIND_BITS) - 1);
    const detail = meaning >>> (KIND_BITS + BLOCK_BITS);
    if (kind === RelocationKind.Helper) {
      fillIndex(code, offset, functionOf(detail));
      continue;
    }
    const block = blocks[(meaning >>> KIND_BITS) & ((1 << BLOCK_BITS) - 1)];
    assert(block !== undefined, "a relocation names a block of the region");
    const record = block.head + detail * RECORD_SIZE;
    if (kind === RelocationKind.LongImmediate) {
      const at = record + RecordField.Immediate;
      fillI64(code, offset, view.getInt32(at, true), view.getInt32(at + 4, true));
    } else fillI32(code, offset, numberOf(kind, block, record, view));
  }
}

function numberOf(kind: RelocationKind, block: RegionBlock, record: number, view: DataView): number {
  switch (kind) {
    case RelocationKind.Header:
      return block.address;
    case RelocationKind.Record:
      return record;
    case RelocationKind.LinkTaken:
      return record + RecordField.LinkTaken;
    case RelocationKind.LinkNotTaken:
      return record + RecordField.LinkNotTaken;
    case RelocationKind.Page:
      return block.frame * PAGE;
    case RelocationKind.SecondPage:
      return block.secondFrame * PAGE;
    case RelocationKind.Displacement:
      return view.getInt32(record + RecordField.Displacement, true);
    case RelocationKind.FarDisplacement:
      return view.getInt32(record + RecordField.Displacement, true) + block.delta;
    default:
      return view.getInt32(record + RecordField.Immediate, true);
  }
}
