// SPDX-License-Identifier: Apache-2.0
import {
  ARENA,
  ARENA_HALF_SIZE,
  BLOCK_HEADER_SIZE,
  BlockField,
  Link,
  NO_FRAME,
  RAM_BASE,
  RECORD_SIZE,
  RecordField,
  RecordFlag,
} from "@isola/engine";
import { cpu as layout, SEGMENT_STRIDE } from "../cpu-layout.js";
import type { HandlerIndex } from "../interpreter/handlers.js";
import { Special } from "../interpreter/special.js";
import { dependsOnOperandSize, hasFlatForms, memoryUse } from "../table/form.js";
import type { Opcode, Unit } from "../table/opcode.js";
import { opcodeTable } from "../table/index.js";
import { BASE_RIP, DecodedInstruction, NO_REGISTER, Segment } from "./decoded-instruction.js";
import { type DecodeMode, DecodeStatus, InstructionDecoder } from "./instruction.js";
import { ModeKey } from "./mode.js";

/** Instructions a block may have: their count must fit a byte, and interrupts wait for the end of a block. */
const MAX_INSTRUCTIONS = 48;
/** A block never needs more than three records an instruction and two of its own. */
const MAX_BLOCK_SIZE = BLOCK_HEADER_SIZE + (MAX_INSTRUCTIONS * 3 + 2) * RECORD_SIZE;
const PAGE = 4096;

const ZERO = layout.at("zero");
const EA = layout.at("effectiveAddress");
const CODE_BASE = layout.at("codeBase");
const GPR = layout.at("gpr");
const VEC = layout.at("vec");
const VEC_STRIDE = layout.fields.vec.stride;
const FPR = layout.at("fpr");
const FPR_STRIDE = layout.fields.fpr.stride;
const SEGMENTS = layout.at("esBase");

/** Registers that a slot may name, by the letter of the operand code. */
const enum Bank {
  None,
  Byte,
  Gpr,
  Vector,
  Mmx,
  Segment,
  Number,
}

/** What the block decoder needs to know of a table line beyond what the instruction decoder says. */
interface LineFacts {
  readonly firstHandler: number;
  readonly sized: boolean;
  readonly addressings: number;
  readonly hasFlatForms: boolean;
  readonly firstMemoryForm: number;
  readonly hasModel: boolean;
  readonly ends: boolean;
  readonly relative: boolean;
  readonly repeat: boolean;
  readonly elements: boolean;
  readonly reg: Bank;
  readonly rm: Bank;
  readonly vvvv: Bank;
  readonly unit: Unit;
  readonly twoImmediates: boolean;
  /** The address is computed but not used for an access of the whole operand: LEA, NOP, masked moves, gathers. */
  readonly addressOnly: boolean;
  readonly accessBytes: Uint8Array;
  readonly writes: boolean;
  readonly pop: boolean;
  /** It depends on more than the operands whether memory is written at all: exceptions come first. */
  readonly mayNotStore: boolean;
  /** An x87 instruction that looks for a pending exception before anything else. */
  readonly waits: boolean;
}

/** Instructions whose first operand, if memory, is only read. */
const READERS = new Set([
  "arpl",
  "cmp",
  "test",
  "push",
  "call",
  "jmp",
  "bt",
  "mul",
  "imul",
  "div",
  "idiv",
  "ldmxcsr",
  "vldmxcsr",
  "xrstor",
  "clflush",
  "clflushopt",
  "clwb",
  "lgdt",
  "lidt",
  "lldt",
  "ltr",
  "lmsw",
  "verr",
  "verw",
  "invlpg",
]);

/** x87 arithmetic names only its source; its stores are FST, FIST, FBSTP, FNSTCW, FNSAVE, FXSAVE and their like. */
function writesFirst({ name, attributes }: Opcode): boolean {
  return attributes.unit === "x87" ? /^f(n?st|ist|bst|n?save|xsave)/.test(name) : !READERS.has(name);
}

function bankOf(code: string): Bank {
  switch (code[0]) {
    case "E":
    case "G":
    case "R":
    case "B":
    case "Z":
      return code[1] === "b" ? Bank.Byte : Bank.Gpr;
    case "V":
    case "W":
    case "U":
    case "H":
      return Bank.Vector;
    case "P":
    case "Q":
    case "N":
      return Bank.Mmx;
    case "S":
      return Bank.Segment;
    case "C":
    case "D":
      return Bank.Number;
    default:
      return Bank.None;
  }
}

function factsOf(opcode: Opcode, index: HandlerIndex): LineFacts {
  let reg = Bank.None;
  let rm = Bank.None;
  let vvvv = Bank.None;
  let memory = "";
  for (const code of opcode.operands) {
    if (/^[0-9A-Z]?[A-Z]$|^[er]AX$|^1$/.test(code) && code.length > 1) continue;
    if ("GZVPSCD".includes(code[0] ?? "-")) reg = bankOf(code);
    if ("ERWUQN".includes(code[0] ?? "-")) rm = bankOf(code);
    if ("HB".includes(code[0] ?? "-")) vvvv = bankOf(code);
    if ("EMWQO".includes(code[0] ?? "-")) memory = code;
  }
  const use = memoryUse(opcode);
  const vector = opcode.encoding.vex === 256 ? 32 : 16;
  const bytes = (size: number): number => {
    switch (memory.slice(1)) {
      case "b":
        return 1;
      case "w":
        return 2;
      case "d":
        return 4;
      case "q":
        return 8;
      case "x":
        return vector;
      case "dq":
        return 16;
      case "t":
        return 10;
      case "y":
        return size === 8 ? 8 : 4;
      case "z":
        return size === 2 ? 2 : 4;
      case "p":
        return size + 2;
      case "s":
        return 6;
      default:
        return size;
    }
  };
  const first = opcode.operands[0] ?? "";
  return {
    firstHandler: index.first.get(opcode) ?? 0,
    sized: dependsOnOperandSize(opcode),
    addressings: (use === "always" ? 0 : 1) + (use === "never" ? 0 : hasFlatForms(opcode) ? 2 : 1),
    hasFlatForms: hasFlatForms(opcode),
    firstMemoryForm: use === "always" ? 0 : 1,
    hasModel: opcode.attributes.model === true,
    ends: opcode.attributes.ends === true,
    relative: opcode.operands.some((code) => code[0] === "J"),
    repeat: opcode.attributes.repeat === true,
    elements: opcode.attributes.elements === true,
    reg,
    rm: opcode.attributes.vsib === undefined ? rm : Bank.Vector,
    vvvv,
    unit: opcode.attributes.unit ?? "integer",
    twoImmediates:
      opcode.operands.filter((code) => code[0] === "I" || code[0] === "L").length > 1 ||
      opcode.operands.some((code) => code[0] === "A"),
    addressOnly:
      opcode.attributes.elements === true || (memory === "M" && (opcode.name === "lea" || opcode.name === "nop")),
    accessBytes: Uint8Array.of(bytes(2), bytes(4), bytes(8)),
    writes: memory !== "" && first === memory && writesFirst(opcode),
    pop: opcode.name === "pop",
    mayNotStore: /^(f(ist|st|bst)|vcvtps2ph)/.test(opcode.name),
    waits: opcode.attributes.unit === "x87" && !/^f(n|xsave|xrstor)/.test(opcode.name),
  };
}

/** Translates the page that follows an instruction that straddles two pages: offset of the page in RAM, or -1. */
export type SecondPage = () => number;

export interface DecodedBlock {
  /** Address of the header, or 0: the second page of the very first instruction could not be fetched. */
  readonly address: number;
  /** For `insertBlock`: end of the block's bytes in its first and second frame. */
  readonly end: number;
  readonly secondEnd: number;
}

/** A debugger's breakpoints as the decoder sees them. */
export interface BreakpointOffsets {
  /** Offsets in a frame of RAM in front of which blocks end; null for none. */
  offsetsIn(frame: number): ReadonlySet<number> | null;
}

/**
 * Turns guest code into blocks of records in the arena. Blocks start at any byte, end with the first jump, at the end
 * of their page, or after {@link MAX_INSTRUCTIONS}; an instruction that straddles two pages is a block of its own.
 */
export class BlockDecoder {
  /** Where blocks are to end for a debugger; null without one. */
  breakpoints: BreakpointOffsets | null = null;
  private readonly facts = new Map<Opcode, LineFacts>();
  private readonly decoder = new InstructionDecoder(opcodeTable);
  private readonly insn: DecodedInstruction;
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  private readonly view: DataView;
  private readonly straddle = new Uint8Array(32);
  /** Bytes used in the two halves of the arena, and the half being filled. */
  private readonly used: [number, number] = [0, 0];
  private half: 0 | 1 = 0;
  private at = 0;

  /**
   * @param evict empties a half of the arena: `evictHalf` of the helper module
   */
  constructor(
    buffer: ArrayBufferLike,
    index: HandlerIndex,
    private readonly evict: (half: number, used: number, otherUsed: number) => void,
  ) {
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.view = new DataView(buffer);
    for (const opcode of opcodeTable) this.facts.set(opcode, factsOf(opcode, index));
    const first = opcodeTable[0];
    if (first === undefined) throw new Error("the opcode table is empty");
    this.insn = new DecodedInstruction(first);
  }

  /**
   * Decodes the block at `offset` of `frame` under `mode`.
   * @param vex VEX prefixes are recognised (protected mode)
   */
  decode(frame: number, offset: number, mode: number, vex: boolean, secondPage: SecondPage): DecodedBlock {
    const block = this.allocate();
    const codeSize = ([16, 32, 64, 64] as const)[mode & ModeKey.CodeSizeMask] ?? 16;
    const decodeMode: DecodeMode = { codeSize, vex };
    const limit = (mode & ModeKey.Step) !== 0 ? 1 : MAX_INSTRUCTIONS;
    const page = RAM_BASE + frame * PAGE;
    const { insn } = this;
    this.at = block + BLOCK_HEADER_SIZE + RECORD_SIZE;
    let here = offset;
    let count = 0;
    let secondFrame = NO_FRAME;
    let secondEnd = 0;
    let ended = false;
    // Blocks that are stepped through are told of breakpoints by the run loop.
    const stops = (mode & ModeKey.Step) !== 0 ? null : (this.breakpoints?.offsetsIn(frame) ?? null);
    while (!ended && count < limit && here < PAGE) {
      if (stops !== null && stops.has(here)) {
        if (count > 0) break;
        this.newRecord(Special.Breakpoint, here, 0);
        here++;
        count++;
        ended = true;
        continue;
      }
      let status = this.decoder.decode(this.bytes, page + here, PAGE - here, decodeMode, insn);
      if (status === DecodeStatus.NeedMore) {
        if (count > 0) break;
        const second = secondPage();
        if (second < 0) return { address: 0, end: 0, secondEnd: 0 };
        const head = PAGE - here;
        this.straddle.set(this.bytes.subarray(page + here, page + PAGE));
        this.straddle.set(this.bytes.subarray(RAM_BASE + second, RAM_BASE + second + 16), head);
        status = this.decoder.decode(this.straddle, 0, head + 16, decodeMode, insn);
        secondFrame = second / PAGE;
        secondEnd = status === DecodeStatus.Ok ? insn.length - head : 1;
      }
      const start = this.at;
      if (status === DecodeStatus.Ok) ended = this.instruction(insn, here, mode);
      else {
        this.raise(status === DecodeStatus.TooLong ? 13 : 6, here);
        insn.length = 1;
        ended = true;
      }
      for (let record = start; record < this.at; record += RECORD_SIZE)
        this.bytes[record + RecordField.Remaining] = count;
      here += insn.length;
      count++;
    }
    if (!ended) this.fallThrough(here, mode);
    this.head(block, offset, count);
    const records = (this.at - block - BLOCK_HEADER_SIZE) / RECORD_SIZE;
    // The count of instructions before each record becomes the count from it on.
    for (let i = 1, record = block + BLOCK_HEADER_SIZE + RECORD_SIZE; i < records; i++, record += RECORD_SIZE) {
      const before = this.bytes[record + RecordField.Remaining] ?? 0;
      this.bytes[record + RecordField.Remaining] = count - before;
    }
    if (!ended) this.bytes[this.at - RECORD_SIZE + RecordField.Remaining] = 0;
    const { view } = this;
    view.setUint32(block + BlockField.Frame, frame, true);
    view.setUint32(block + BlockField.SecondFrame, secondFrame, true);
    view.setUint16(block + BlockField.ModeKey, mode, true);
    view.setUint16(block + BlockField.PageOffset, offset, true);
    view.setUint16(block + BlockField.Records, records, true);
    view.setUint16(block + BlockField.Dead, 0, true);
    view.setUint16(block + BlockField.Compiled, 0, true);
    view.setUint32(block + BlockField.CountedHeat, 0, true);
    this.used[this.half] = this.at - (ARENA + this.half * ARENA_HALF_SIZE);
    return { address: block, end: Math.min(here, PAGE), secondEnd };
  }

  /** Bytes of the arena in use. */
  get bytesUsed(): number {
    return this.used[0] + this.used[1];
  }

  /** The same of its two halves. */
  get usage(): readonly [number, number] {
    return this.used;
  }

  private allocate(): number {
    if (this.used[this.half] + MAX_BLOCK_SIZE > ARENA_HALF_SIZE) {
      const next = this.half === 0 ? 1 : 0;
      this.evict(next, this.used[next], this.used[this.half]);
      this.used[next] = 0;
      this.half = next;
    }
    return ARENA + this.half * ARENA_HALF_SIZE + this.used[this.half];
  }

  // -- records --------------------------------------------------------------------------------------------------------

  private newRecord(handler: number, pageOffset: number, length: number): number {
    const record = this.at;
    const { words } = this;
    // Eight stores: a call of fill() for so few bytes takes longer.
    for (let word = record >> 2; word < (record + RECORD_SIZE) >> 2; word++) words[word] = 0;
    this.view.setUint32(record, handler, true);
    this.view.setUint16(record + RecordField.PageOffset, pageOffset, true);
    this.bytes[record + RecordField.Length] = length;
    this.at += RECORD_SIZE;
    return record;
  }

  private head(block: number, offset: number, count: number): void {
    const end = this.at;
    this.at = block + BLOCK_HEADER_SIZE;
    const record = this.newRecord(Special.Head, offset, 0);
    this.bytes[record + RecordField.Remaining] = count;
    this.bytes[record + RecordField.Flags] = RecordFlag.Head;
    this.at = end;
  }

  private raise(vector: number, here: number): void {
    const record = this.newRecord(Special.Raise, here, 1);
    this.view.setUint32(record + RecordField.Immediate, vector, true);
  }

  /** CR0 and CR4 decide at run time whether this is #NM or #UD. */
  private unavailable(unit: Unit, here: number): void {
    const record = this.newRecord(Special.Unavailable, here, 1);
    this.view.setUint32(record + RecordField.Immediate, UNITS.indexOf(unit), true);
  }

  private fallThrough(here: number, mode: number): void {
    const record = this.newRecord(Special.FallThrough, here, 0);
    this.bytes[record + RecordField.Flags] = RecordFlag.Links;
    const link = here < PAGE && linkable(mode) ? Link.Open : Link.Never;
    this.view.setUint32(record + RecordField.LinkTaken, link, true);
    this.view.setUint32(record + RecordField.LinkNotTaken, Link.Never, true);
  }

  /** Emits the records of one instruction; true if nothing may follow in this block. */
  private instruction(insn: DecodedInstruction, here: number, mode: number): boolean {
    const facts = this.facts.get(insn.opcode);
    if (facts === undefined) throw new Error(`${insn.opcode.name} is not in the table`);
    if (isUnavailable(facts.unit, mode)) {
      this.unavailable(facts.unit, here);
      return true;
    }
    const { view } = this;
    const code64 = (mode & ModeKey.CodeSizeMask) === ModeKey.Code64;
    const flat = (mode & ModeKey.Flat) !== 0;
    let addressing = 0;
    let separate = false;
    if (insn.memory) {
      const based = code64 ? insn.segment >= Segment.FS : !flat || isSpecialSegment(insn.segment);
      separate =
        insn.addressSize === 16 ||
        (insn.addressSize === 32 && !facts.hasFlatForms) ||
        (based && !facts.addressOnly) ||
        hasWideDisplacement(insn);
      if (separate) this.address(insn, facts, here, flat, code64);
      addressing = facts.firstMemoryForm + (separate || insn.addressSize === 64 ? 0 : 1);
    }
    const sizeIndex = insn.operandSize === 16 ? 0 : insn.operandSize === 32 ? 1 : 2;
    let handler = facts.firstHandler;
    const models = facts.hasModel ? 3 : 1;
    if (facts.sized) handler += sizeIndex * facts.addressings * models;
    handler += addressing * models;
    if (facts.hasModel) handler += modelIndex(mode);
    const record = this.newRecord(handler, here, insn.length);
    view.setUint16(record + RecordField.Reg, this.slot(facts.reg, insn.reg, insn), true);
    view.setUint16(record + RecordField.Rm, this.slot(facts.rm, insn.rm, insn), true);
    view.setUint16(record + RecordField.Vvvv, this.slot(facts.vvvv, insn.vvvv, insn), true);
    if (insn.memory) {
      if (separate) {
        view.setUint16(record + RecordField.Base, EA, true);
        view.setUint16(record + RecordField.Index, ZERO, true);
      } else this.plainAddress(record, insn, facts, here);
      if (insn.segment === Segment.SS) this.bytes[record + RecordField.Flags] = RecordFlag.StackSegment;
    }
    if (facts.relative) this.links(record, insn, facts, here, mode);
    else if (facts.repeat)
      this.repeatImmediate(record, insn, insn.segmentOverride < 0 ? Segment.DS : insn.segmentOverride);
    else if (facts.elements) {
      this.repeatImmediate(record, insn, insn.segment);
      this.bytes[record + RecordField.Scale] = insn.scale;
    } else {
      view.setInt32(record + RecordField.Immediate, insn.immediateLow, true);
      view.setInt32(record + RecordField.Immediate + 4, insn.immediateHigh, true);
    }
    return facts.ends;
  }

  private plainAddress(record: number, insn: DecodedInstruction, facts: LineFacts, here: number): void {
    const { view } = this;
    let displacement = insn.displacement;
    let base = ZERO;
    if (insn.base === BASE_RIP) {
      base = CODE_BASE;
      displacement += here + insn.length;
    } else if (insn.base !== NO_REGISTER) base = GPR + insn.base * 8;
    // POP with an (E/R)SP-based destination computes the address after the increment (SDM 2, POP).
    if (facts.pop && insn.base === 4) displacement += insn.operandSize / 8;
    view.setUint16(record + RecordField.Base, base, true);
    view.setUint16(record + RecordField.Index, insn.index === NO_REGISTER ? ZERO : GPR + insn.index * 8, true);
    this.bytes[record + RecordField.Scale] = insn.scale;
    view.setInt32(record + RecordField.Displacement, displacement, true);
  }

  /** The record in front that computes a linear address with segment base, mask or checks. */
  private address(insn: DecodedInstruction, facts: LineFacts, here: number, flat: boolean, code64: boolean): void {
    const { view } = this;
    const checked = !code64 && !facts.addressOnly && (!flat || isSpecialSegment(insn.segment));
    if (facts.pop && checked) this.probeStack(insn, here);
    if (facts.waits && checked) this.newRecord(Special.WaitX87, here, insn.length);
    const segmented = facts.mayNotStore
      ? Special.AddressDeferred
      : facts.unit === "mmx" && facts.writes
        ? Special.AddressMmxStore
        : Special.AddressSegmented;
    const record = this.newRecord(checked ? segmented : Special.AddressLong, here, insn.length);
    const wide = hasWideDisplacement(insn);
    if (wide) {
      // MOV moffs64: the whole offset is in the immediate mask's place, added to the zero register.
      this.wideAddress(record, insn);
      return;
    }
    this.plainAddress(record, insn, facts, here);
    const based = !facts.addressOnly && (checked || insn.segment >= Segment.FS);
    view.setUint16(record + RecordField.Reg, based ? SEGMENTS + insn.segment * SEGMENT_STRIDE : ZERO, true);
    const sizeIndex = insn.operandSize === 16 ? 0 : insn.operandSize === 32 ? 1 : 2;
    view.setUint16(record + RecordField.Vvvv, (facts.accessBytes[sizeIndex] ?? 1) | (facts.writes ? 0x100 : 0), true);
    view.setUint32(record + RecordField.Immediate, insn.addressSize === 16 ? 0xffff : 0xffff_ffff, true);
    view.setUint32(record + RecordField.Immediate + 4, insn.addressSize === 64 ? 0xffff_ffff : 0, true);
    if (insn.segment === Segment.SS) this.bytes[record + RecordField.Flags] = RecordFlag.StackSegment;
  }

  /** POP reads the stack before it looks at its destination, so the faults of the stack come first. */
  private probeStack(insn: DecodedInstruction, here: number): void {
    const record = this.newRecord(Special.ProbeStack, here, insn.length);
    this.view.setUint32(record + RecordField.Immediate, insn.operandSize / 8, true);
  }

  /** An absolute 64-bit offset: Special.AddressAbsolute adds the immediate to the segment base. */
  private wideAddress(record: number, insn: DecodedInstruction): void {
    const { view } = this;
    view.setUint32(record, Special.AddressAbsolute, true);
    view.setUint16(
      record + RecordField.Reg,
      insn.segment >= Segment.FS ? SEGMENTS + insn.segment * SEGMENT_STRIDE : ZERO,
      true,
    );
    view.setInt32(record + RecordField.Immediate, insn.displacement, true);
    view.setInt32(record + RecordField.Immediate + 4, insn.displacementHigh, true);
  }

  private links(record: number, insn: DecodedInstruction, facts: LineFacts, here: number, mode: number): void {
    const { view } = this;
    const next = here + insn.length;
    const target = next + insn.immediateLow;
    const open = linkable(mode) && facts.ends && insn.operandSize !== 16;
    view.setInt32(record + RecordField.Displacement, target, true);
    view.setUint32(record + RecordField.LinkTaken, open && target >= 0 && target < PAGE ? Link.Open : Link.Never, true);
    view.setUint32(record + RecordField.LinkNotTaken, open && next < PAGE ? Link.Open : Link.Never, true);
    const flags = this.bytes[record + RecordField.Flags] ?? 0;
    this.bytes[record + RecordField.Flags] = flags | RecordFlag.Links;
  }

  /** Immediate of instructions whose helpers make addresses: address size, repeat prefix, segment. */
  private repeatImmediate(record: number, insn: DecodedInstruction, segment: number): void {
    const size = insn.addressSize === 16 ? 0 : insn.addressSize === 32 ? 1 : 2;
    const repeat = insn.repeat === 1 ? 4 : insn.repeat === 2 ? 8 : 0;
    this.view.setUint32(record + RecordField.Immediate, size | repeat | (segment << 8), true);
  }

  private slot(bank: Bank, register: number, insn: DecodedInstruction): number {
    switch (bank) {
      case Bank.None:
        return ZERO;
      case Bank.Byte:
        // Without REX (and VEX), 4-7 are AH CH DH BH.
        return register >= 4 && register < 8 && insn.rex === 0 && !insn.vex
          ? GPR + (register - 4) * 8 + 1
          : GPR + register * 8;
      case Bank.Gpr:
        return GPR + register * 8;
      case Bank.Vector:
        return VEC + register * VEC_STRIDE;
      case Bank.Mmx:
        return FPR + (register & 7) * FPR_STRIDE;
      case Bank.Segment:
        return SEGMENTS + register * SEGMENT_STRIDE;
      case Bank.Number:
        return register;
    }
  }
}

/** Segments that need checks even in the flat model: FS and GS have a base, CS cannot be written. */
function isSpecialSegment(segment: number): boolean {
  return segment >= Segment.FS || segment === Segment.CS;
}

/** Whether direct jumps of a mode may be linked: not where CS limits must be checked or each instruction is stepped. */
function linkable(mode: number): boolean {
  return (mode & ModeKey.Flat) !== 0 && (mode & ModeKey.Step) === 0;
}

const UNITS: readonly Unit[] = ["integer", "x87", "mmx", "sse", "avx"];
const UNIT_BITS = [0, ModeKey.NoX87, ModeKey.NoX87, ModeKey.NoSse, ModeKey.NoAvx] as const;

/** Whether instructions of `unit` raise #NM or #UD under `mode`. */
function isUnavailable(unit: Unit, mode: number): boolean {
  return (mode & (UNIT_BITS[UNITS.indexOf(unit)] ?? 0)) !== 0;
}

function modelIndex(mode: number): number {
  if ((mode & ModeKey.CodeSizeMask) === ModeKey.Code64) return 0;
  const flat32 = ModeKey.Code32 | ModeKey.Stack32 | ModeKey.Flat;
  return (mode & (ModeKey.CodeSizeMask | ModeKey.Stack32 | ModeKey.Flat)) === flat32 ? 1 : 2;
}

/** MOV with a 64-bit absolute offset that a record's displacement cannot hold. */
function hasWideDisplacement(insn: DecodedInstruction): boolean {
  return insn.addressSize === 64 && insn.displacementHigh !== insn.displacement >> 31;
}
