// SPDX-License-Identifier: Apache-2.0
import { StateImage, StateOffset } from "./state-image.js";
import { COMPLETED, type Environment, type MemoryWindow, type Outcome } from "./vector-target.js";

/** How far a recorded result binds; see README.md. */
export const enum Note {
  Approx12Bit = 1,
  ApproxX87 = 2,
  MemoryFree = 4,
  TrailingBytes = 8,
  ModelFault = 16,
}

const enum Tag {
  Xmm = 0x10,
  YmmHigh = 0x20,
  St = 0x30,
  Rip = 0x40,
  Fcw = 0x41,
  Fsw = 0x42,
  Ftw = 0x43,
  Mxcsr = 0x44,
  Error = 0x45,
  Cr2 = 0x46,
  Memory = 0x50,
  MaskedGpr = 0x51,
  FswCompared = 0x52,
  Out = 0xfe,
  End = 0xff,
}

export const FAMILIES = ["int", "string", "branch", "bits", "sse", "crypto", "x87", "avx", "raw"] as const;
export type Family = (typeof FAMILIES)[number];

export interface Row {
  readonly name: string;
  readonly family: Family;
}

export const NO_GPR = 255;
const VERSION = 1;
const MAX_CODE = 15;

/** Bytes of guest memory: before the instruction (patches) or changed by it (changes). */
export interface MemoryItem {
  address: number;
  /** Points into the file. */
  bytes: Uint8Array;
}

/** One vector. The reader fills the same object again and again. */
export class Vector {
  row: Row = { name: "", family: "raw" };
  background = 0;
  notes = 0;
  code: Uint8Array = new Uint8Array(0);
  flagsCompared = 0;
  fswCompared = 0xffff;
  maskedGpr = NO_GPR;
  maskedGprLow = -1;
  maskedGprHigh = -1;
  readonly before = new StateImage();
  readonly after = new StateImage();
  readonly outcome: Outcome = { what: COMPLETED, errorCode: 0, cr2Low: 0, cr2High: 0 };
  readonly patches: MemoryItem[] = [];
  readonly changes: MemoryItem[] = [];
}

/** Reads a vector file from memory. Throws an Error that says what is wrong when the bytes are not one. */
export class VectorFile {
  readonly environment: Environment;
  readonly rows: readonly Row[];
  readonly count: number;
  readonly seed: bigint;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly backgrounds: readonly StateImage[];
  private readonly first: number;
  private at = 0;

  constructor(source: Uint8Array) {
    // A plain view: the slices of a Node Buffer would share its memory.
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const magic = String.fromCharCode(...bytes.subarray(0, 8));
    if (magic !== "ISOLAVEC") throw new Error("not a vector file (wrong magic)");
    const version = this.view.getUint16(8, true);
    if (version !== VERSION) throw new Error(`vector file of version ${version}, this reader knows ${VERSION}`);
    const mode = bytes[10] === 64 ? 64 : 32;
    this.count = this.view.getUint32(12, true);
    this.seed = this.view.getBigUint64(16, true);
    const codeEnd = this.address(24);
    const selector = (i: number): number => this.view.getUint16(32 + 2 * i, true);
    const selectors = {
      cs: selector(0),
      ss: selector(1),
      ds: selector(2),
      es: selector(3),
      fs: selector(4),
      gs: selector(5),
    };
    this.at = 44;
    const windows = this.readWindows();
    this.environment = { mode, hasAvx: bytes[11] !== 0, codeEnd, selectors, windows };
    this.backgrounds = this.readBackgrounds();
    this.rows = this.readRows();
    this.first = this.at;
  }

  /** Goes back to the first vector. */
  rewind(): void {
    this.at = this.first;
  }

  private address(at: number): number {
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 0x1_0000_0000;
  }

  private readWindows(): MemoryWindow[] {
    const windows: MemoryWindow[] = [];
    for (let n = this.bytes[this.at++]; n > 0; n--) {
      const base = this.address(this.at);
      const size = this.view.getUint32(this.at + 8, true);
      const rights = this.bytes[this.at + 12];
      this.at += 13;
      windows.push({ base, size, rights, initial: this.bytes.slice(this.at, this.at + size) });
      this.at += size;
    }
    return windows;
  }

  private readBackgrounds(): StateImage[] {
    const images: StateImage[] = [];
    for (let n = this.bytes[this.at++]; n > 0; n--) {
      const image = new StateImage();
      const take = (offset: number, size: number): void => {
        image.bytes.set(this.bytes.subarray(this.at, this.at + size), offset);
        this.at += size;
      };
      take(StateOffset.Gpr, 128);
      take(StateOffset.Flags, 4);
      take(StateOffset.Mxcsr, 4);
      take(StateOffset.Fcw, 2);
      take(StateOffset.Fsw, 2);
      take(StateOffset.Ftw, 1);
      for (let i = 0; i < 8; i++) take(StateOffset.St + 16 * i, 10);
      take(StateOffset.Xmm, 256);
      take(StateOffset.YmmHigh, 256);
      images.push(image);
    }
    return images;
  }

  private readRows(): Row[] {
    const rows: Row[] = [];
    const count = this.view.getUint16(this.at, true);
    this.at += 2;
    for (let i = 0; i < count; i++) {
      const length = this.bytes[this.at + 1];
      const name = String.fromCharCode(...this.bytes.subarray(this.at + 2, this.at + 2 + length));
      rows.push({ family: FAMILIES[this.bytes[this.at]], name });
      this.at += 2 + length;
    }
    return rows;
  }

  /** Fills `vector` with the next one. Must not be called more than `count` times after `rewind`. */
  next(vector: Vector): void {
    const { bytes, view } = this;
    const start = this.at;
    const end = start + view.getUint16(start, true);
    const row = this.rows[view.getUint16(start + 2, true)];
    const background = this.backgrounds[bytes[start + 4]];
    const codeLength = bytes[start + 7];
    if (row === undefined || background === undefined || codeLength > MAX_CODE || end > bytes.length) {
      throw new Error(`damaged vector at byte ${start}`);
    }
    vector.row = row;
    vector.background = bytes[start + 4];
    vector.notes = bytes[start + 6];
    vector.code = bytes.subarray(start + 8, start + 8 + codeLength);
    vector.fswCompared = 0xffff;
    vector.maskedGpr = NO_GPR;
    vector.patches.length = 0;
    vector.changes.length = 0;
    const outcome = vector.outcome;
    outcome.what = bytes[start + 5];
    outcome.errorCode = outcome.cr2Low = outcome.cr2High = 0;
    let at = start + 8 + codeLength;
    vector.flagsCompared = view.getInt32(at + 8, true);
    const rip = this.environment.codeEnd - codeLength;
    vector.before.copyFrom(background);
    vector.before.view.setUint32(StateOffset.Rip, rip, true);
    vector.before.view.setInt32(StateOffset.Flags, view.getInt32(at, true), true);
    const flagsAfter = view.getInt32(at + 4, true);
    at = this.readItems(vector, vector.before, at + 12);
    vector.after.copyFrom(vector.before);
    if (outcome.what === COMPLETED) vector.after.view.setUint32(StateOffset.Rip, this.environment.codeEnd, true);
    vector.after.view.setInt32(StateOffset.Flags, flagsAfter, true);
    at = this.readItems(vector, vector.after, at);
    if (at !== end) throw new Error(`damaged vector at byte ${start}`);
    this.at = end;
  }

  /** Reads items up to an Out or End tag into `state`; returns the place behind that tag. */
  private readItems(vector: Vector, state: StateImage, from: number): number {
    const { bytes, view } = this;
    const to = state.bytes;
    const word = this.environment.mode / 8;
    let at = from;
    for (;;) {
      const tag = bytes[at++];
      if (tag < Tag.Xmm) {
        const offset = StateOffset.Gpr + 8 * tag;
        state.words[offset >> 2] = view.getInt32(at, true);
        state.words[(offset >> 2) + 1] = word === 8 ? view.getInt32(at + 4, true) : 0;
        at += word;
      } else if (tag < Tag.St) {
        const offset = StateOffset.Xmm + 16 * (tag - Tag.Xmm);
        for (let i = 0; i < 16; i += 4) state.words[(offset + i) >> 2] = view.getInt32(at + i, true);
        at += 16;
      } else if (tag < Tag.Rip) {
        const offset = StateOffset.St + 16 * (tag - Tag.St);
        for (let i = 0; i < 10; i++) to[offset + i] = bytes[at + i];
        at += 10;
      } else if (tag === Tag.Out || tag === Tag.End) {
        return at;
      } else if (tag === Tag.Memory) {
        const item = { address: this.address(at), bytes: bytes.subarray(at + 9, at + 9 + bytes[at + 8]) };
        (state === vector.before ? vector.patches : vector.changes).push(item);
        at += 9 + item.bytes.length;
      } else {
        at += this.readField(vector, state, tag, at);
      }
    }
  }

  /** Reads one of the rarer items; returns its size. */
  private readField(vector: Vector, state: StateImage, tag: number, at: number): number {
    const view = this.view;
    switch (tag) {
      case Tag.Rip:
        state.view.setInt32(StateOffset.Rip, view.getInt32(at, true), true);
        state.view.setInt32(StateOffset.Rip + 4, view.getInt32(at + 4, true), true);
        return 8;
      case Tag.Fcw:
        state.view.setUint16(StateOffset.Fcw, view.getUint16(at, true), true);
        return 2;
      case Tag.Fsw:
        state.view.setUint16(StateOffset.Fsw, view.getUint16(at, true), true);
        return 2;
      case Tag.Ftw:
        state.bytes[StateOffset.Ftw] = this.bytes[at];
        return 1;
      case Tag.Mxcsr:
        state.view.setInt32(StateOffset.Mxcsr, view.getInt32(at, true), true);
        return 4;
      case Tag.Error:
        vector.outcome.errorCode = view.getInt32(at, true);
        return 4;
      case Tag.Cr2:
        vector.outcome.cr2Low = view.getInt32(at, true);
        vector.outcome.cr2High = view.getInt32(at + 4, true);
        return 8;
      case Tag.MaskedGpr:
        vector.maskedGpr = this.bytes[at];
        vector.maskedGprLow = view.getInt32(at + 1, true);
        vector.maskedGprHigh = view.getInt32(at + 5, true);
        return 9;
      case Tag.FswCompared:
        vector.fswCompared = view.getUint16(at, true);
        return 2;
      default:
        throw new Error(`unknown item ${tag} at byte ${at}`);
    }
  }
}
