// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { IoHandler } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { queryTable } from "./query.js";
import {
  BLOCK_SIZE,
  BUFFER_SIZE,
  Command,
  DEVICE_28F128J3,
  Identifier,
  MANUFACTURER_INTEL,
  Status,
} from "./registers.js";
import { type CfiFlashState, cfiFlashResetState, Cycle, Mode } from "./state.js";

const ERASED = 0xff;

export interface CfiFlashOptions {
  /** The array, a whole number of blocks. The chip changes it in place; whoever owns it keeps it over a reset. */
  readonly array: Uint8Array;
  /** Every block is locked for good. */
  readonly readOnly: boolean;
  /** Reads get the array, so that it may be mapped like memory, or they do not and have to come to the handler. */
  readonly arrayShown: (shown: boolean) => void;
  /** A part of the array has been programmed or erased. */
  readonly changed: (offset: number, length: number) => void;
}

/**
 * A parallel NOR flash chip with the Common Flash Interface and Intel's command set, byte-wide. Programming clears bits,
 * erasing sets those of a block; both are over before the next bus cycle.
 */
export class CfiFlash implements Device<CfiFlashState> {
  /** As many addresses as the array has bytes. A wider access is as many cycles as it has bytes. */
  readonly handler: IoHandler = {
    read: (offset, size) => {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = (value << 8) | this.readByte(offset + i);
      return value >>> 0;
    },
    write: (offset, size, value) => {
      for (let i = 0; i < size; i++) this.writeByte(offset + i, (value >>> (8 * i)) & 0xff);
      this.show();
    },
  };
  private readonly query: Uint8Array;
  private shown = true;
  private s: CfiFlashState = cfiFlashResetState();

  /** The array is shown at first. */
  constructor(private readonly options: CfiFlashOptions) {
    const { length } = options.array;
    assert(length > 0 && length % BLOCK_SIZE === 0, "a flash array has whole blocks");
    this.query = queryTable(length);
  }

  reset(): void {
    this.s = cfiFlashResetState();
    this.show();
  }

  save(): CfiFlashState {
    return copyState(this.s);
  }

  restore(state: CfiFlashState): void {
    checkState(state, "cfi-flash", 1);
    this.s = copyState(state);
    this.show();
  }

  private show(): void {
    const shown = this.s.mode === Mode.Array && this.s.cycle === Cycle.Command;
    if (shown === this.shown) return;
    this.shown = shown;
    this.options.arrayShown(shown);
  }

  private readByte(offset: number): number {
    const { array, readOnly } = this.options;
    if (this.s.cycle !== Cycle.Command) return this.s.status;
    switch (this.s.mode) {
      case Mode.Array:
        return array[offset] ?? ERASED;
      case Mode.Status:
        return this.s.status;
      case Mode.Query:
        return this.query[offset & 0xff];
      default:
        if (offset === Identifier.Manufacturer) return MANUFACTURER_INTEL;
        if (offset === Identifier.Device) return DEVICE_28F128J3;
        return offset % BLOCK_SIZE === Identifier.BlockLock && readOnly ? 1 : 0;
    }
  }

  private writeByte(offset: number, value: number): void {
    const s = this.s;
    if (offset >= this.options.array.length) return;
    switch (s.cycle) {
      case Cycle.Command:
        this.command(value);
        break;
      case Cycle.ProgramData:
        this.finish(this.program([{ offset, value }]));
        break;
      case Cycle.EraseConfirm:
        this.finish(value === (Command.Confirm as number) ? this.erase(offset) : Status.SequenceError);
        break;
      case Cycle.LockConfirm:
        // Locks cannot be changed: the vendor's table does not offer them.
        this.finish(
          value === (Command.Confirm as number) || value === (Command.LockSet as number) ? 0 : Status.SequenceError,
        );
        break;
      case Cycle.BufferCount:
        s.awaited = value + 1;
        s.cycle = Cycle.BufferData;
        if (s.awaited > BUFFER_SIZE) this.finish(Status.SequenceError);
        break;
      case Cycle.BufferData:
        s.buffered.push({ offset, value });
        if (--s.awaited === 0) s.cycle = Cycle.BufferConfirm;
        break;
      default:
        this.finish(value === (Command.Confirm as number) ? this.program(s.buffered) : Status.SequenceError);
        break;
    }
  }

  private command(value: number): void {
    const s = this.s;
    switch (value) {
      case Command.Program:
      case Command.ProgramAlias:
        this.await(Cycle.ProgramData);
        break;
      case Command.EraseSetup:
        this.await(Cycle.EraseConfirm);
        break;
      case Command.LockSetup:
        this.await(Cycle.LockConfirm);
        break;
      case Command.WriteToBuffer:
        // What is read now is the extended status: the buffer is free.
        s.status |= Status.Ready;
        this.await(Cycle.BufferCount);
        break;
      case Command.ReadStatus:
      case Command.Suspend:
      case Command.Confirm:
        // Nothing is under way that could be suspended or resumed.
        s.mode = Mode.Status;
        break;
      case Command.ReadIdentifiers:
        s.mode = Mode.Identifiers;
        break;
      case Command.Query:
        s.mode = Mode.Query;
        break;
      case Command.ClearStatus:
        // The chip itself would still say that it is ready. OVMF takes a register of zeros as the sign of a flash chip.
        s.status = 0;
        s.mode = Mode.Array;
        break;
      default:
        s.mode = Mode.Array;
        break;
    }
  }

  private await(cycle: Cycle): void {
    this.s.cycle = cycle;
    this.s.mode = Mode.Status;
  }

  /** The operation is over; errors stay in the status register until they are cleared. */
  private finish(errors: number): void {
    const s = this.s;
    s.status |= Status.Ready | errors;
    s.cycle = Cycle.Command;
    s.awaited = 0;
    s.buffered = [];
  }

  /** Clears the bits that are zero in the data, which have to lie in one block; returns error bits. */
  private program(bytes: readonly { offset: number; value: number }[]): number {
    const { array, readOnly, changed } = this.options;
    if (readOnly) return Status.ProgramError | Status.Locked;
    const [first] = bytes;
    const block = Math.floor(first.offset / BLOCK_SIZE);
    if (bytes.some(({ offset }) => Math.floor(offset / BLOCK_SIZE) !== block)) return Status.SequenceError;
    for (const { offset, value } of bytes) {
      array[offset] &= value;
      changed(offset, 1);
    }
    return 0;
  }

  private erase(offset: number): number {
    const { array, readOnly, changed } = this.options;
    if (readOnly) return Status.EraseError | Status.Locked;
    const start = offset - (offset % BLOCK_SIZE);
    array.fill(ERASED, start, start + BLOCK_SIZE);
    changed(start, BLOCK_SIZE);
    return 0;
  }
}
