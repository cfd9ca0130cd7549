// SPDX-License-Identifier: Apache-2.0
import { BLOCK_HEADER_SIZE, BlockField, Link, NO_FRAME, RECORD_SIZE, RecordField, RecordFlag } from "@isola/engine";
import { cpu as layout } from "../../cpu-layout.js";
import { Special } from "../../interpreter/special.js";
import { type Form, isNearIndirect } from "../../table/form.js";
import { mayBeAddress, mayLeaveImage } from "../relocation.js";
import { HalfSipHash } from "./half-siphash.js";

const CODE_BASE = layout.at("codeBase");
/** Instead of a constant that is filled in when the code is put in its place. */
const PLACED = 0x5eed_0001;
const PLACED_LONG = 0x5eed_0002;

/**
 * Names decoded blocks by all that compiled code depends on: equal keys mean equal code, up to what
 * {@link RelocationKind} lists. The names are safe from guests that look for two blocks of one name.
 */
export class BlockKeys {
  private readonly hash: HalfSipHash;

  constructor(
    private readonly view: DataView,
    private readonly formOf: (handler: number) => Form,
    secret: readonly [number, number],
  ) {
    this.hash = new HalfSipHash(...secret);
  }

  /** Computes the key of the block with a header: see {@link low} and {@link high}. */
  compute(block: number): void {
    const { view, hash } = this;
    hash.begin();
    const records = view.getUint16(block + BlockField.Records, true);
    const straddles = view.getUint32(block + BlockField.SecondFrame, true) !== NO_FRAME;
    hash.word(view.getUint16(block + BlockField.ModeKey, true) | (straddles ? 0x1_0000 : 0));
    hash.word(records | (view.getUint16(block + BlockField.PageOffset, true) << 16));
    const head = block + BLOCK_HEADER_SIZE;
    hash.word(view.getUint8(head + RecordField.Remaining));
    for (let i = 1; i < records; i++) this.record(head + i * RECORD_SIZE);
    hash.finish();
  }

  /** Halves of the key computed last. */
  get low(): number {
    return this.hash.low;
  }

  get high(): number {
    return this.hash.high;
  }

  private record(record: number): void {
    const { view, hash } = this;
    const handler = view.getUint32(record + RecordField.Handler, true);
    hash.word(handler);
    hash.word(view.getUint32(record + RecordField.Reg, true));
    hash.word(view.getUint32(record + RecordField.Base, true));
    hash.word(view.getUint32(record + RecordField.Vvvv, true));
    hash.word(view.getUint32(record + RecordField.PageOffset, true));
    const displacement = view.getInt32(record + RecordField.Displacement, true);
    const isJump = (view.getUint8(record + RecordField.Flags) & RecordFlag.Links) !== 0;
    const isRelative = isJump || view.getUint16(record + RecordField.Base, true) === CODE_BASE;
    const isPlaced = isRelative ? mayLeaveImage(displacement) : mayBeAddress(displacement);
    hash.word(isPlaced ? PLACED : displacement);
    if (isJump) this.links(record);
    else this.immediate(record, handler);
  }

  private links(record: number): void {
    const never = (link: RecordField): number => (this.view.getUint32(record + link, true) === Link.Never ? 1 : 0);
    this.hash.word(never(RecordField.LinkTaken) | (never(RecordField.LinkNotTaken) << 1));
  }

  private immediate(record: number, handler: number): void {
    const { view, hash } = this;
    const isSpecial = handler < Special.Count;
    if (!isSpecial && isNearIndirect(this.formOf(handler))) return;
    const low = view.getInt32(record + RecordField.Immediate, true);
    const high = view.getInt32(record + RecordField.Immediate + 4, true);
    const isShort = high === low >> 31;
    if (!isSpecial && (isShort ? mayBeAddress(low) : high < 0)) return hash.word(isShort ? PLACED : PLACED_LONG);
    hash.word(low);
    hash.word(high);
  }
}
