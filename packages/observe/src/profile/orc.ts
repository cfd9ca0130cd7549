// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory, GuestSample } from "@isola/ports";
import type { SymbolTable } from "../symbols/symbol-table.js";
import { readWord } from "./read-word.js";

/** Registers that an entry counts from: asm/orc_types.h. */
const enum OrcReg {
  Undefined = 0,
  PreviousSp = 1,
  Bp = 4,
  Sp = 5,
  BpIndirect = 8,
  SpIndirect = 9,
}

/** What the frame that an entry describes is. */
const enum FrameKind {
  End,
  /** The return address lies below the caller's stack pointer. */
  Call,
  /** A pt_regs record of an interrupt or exception. */
  Registers,
  /** Only its end, the five words that the processor pushes. */
  InterruptFrame,
}

interface OrcEntry {
  readonly spOffset: number;
  readonly bpOffset: number;
  readonly spReg: number;
  readonly bpReg: number;
  readonly kind: FrameKind;
}

/** Bytes of an entry, and of its address. */
const ENTRY_SIZE = 6;
const ADDRESS_SIZE = 4;
const MAX_ENTRIES = 4 << 20;
const MAX_DEPTH = 128;
/** Bytes of a kernel stack. */
const STACK_SIZE = 0x4000n;

/** Offsets in struct pt_regs. */
const PT_BP = 32n;
const PT_IP = 128n;
const PT_CS = 136n;
const PT_SP = 152n;

/** The release from which `type` has three bits and its own values for "undefined" and "end". */
const NEW_TYPES = [6, 4] as const;

/**
 * Unwinds stacks of a 64-bit Linux kernel by its ORC tables, which say for every address how to find the caller's frame
 * (Documentation/arch/x86/orc-unwinder.rst). The tables of Linux 4.14 and later are read where the running kernel has
 * them; those of modules are not, so that a stack ends at a function of a module.
 */
export class OrcUnwinder {
  private readonly addresses: DataView;
  private readonly entries: DataView;
  private readonly count: number;

  private constructor(
    private readonly addressBase: bigint,
    addresses: Uint8Array,
    entries: Uint8Array,
    private readonly newTypes: boolean,
  ) {
    this.addresses = new DataView(addresses.buffer, addresses.byteOffset, addresses.length);
    this.entries = new DataView(entries.buffer, entries.byteOffset, entries.length);
    this.count = Math.floor(addresses.length / ADDRESS_SIZE);
  }

  /** The unwinder of the kernel in `memory`, or null if it has no such tables. */
  static of(symbols: SymbolTable, memory: GuestMemory): OrcUnwinder | null {
    const [start, stop, entryStart] = ["__start_orc_unwind_ip", "__stop_orc_unwind_ip", "__start_orc_unwind"].map(
      (name) => symbols.addressOf(name),
    );
    if (start === undefined || stop === undefined || entryStart === undefined || stop <= start) return null;
    const count = Number(stop - start) / ADDRESS_SIZE;
    if (!Number.isInteger(count) || count > MAX_ENTRIES) return null;
    // The kernel's image is contiguous in physical memory.
    const addresses = viewOf(memory, start, count * ADDRESS_SIZE);
    const entries = viewOf(memory, entryStart, count * ENTRY_SIZE);
    if (addresses === null || entries === null) return null;
    return new OrcUnwinder(start, addresses, entries, isNewer(symbols, memory));
  }

  /** Return addresses of a sample in the kernel, innermost caller first. */
  callers({ rip, rsp, rbp }: GuestSample, memory: GuestMemory): bigint[] {
    const found: bigint[] = [];
    let ip = rip;
    let sp = rsp;
    let bp: bigint | null = rbp;
    // A return address may be the first byte of the next function; the call lies in front of it.
    let behindCall = false;
    while (found.length < MAX_DEPTH) {
      const entry = this.find(behindCall ? ip - 1n : ip);
      if (entry === null || entry.kind === FrameKind.End) break;
      const frame = frameOf(entry, sp, bp, memory);
      if (frame === null) break;
      const next = step(entry, frame, bp, memory);
      // Stacks grow down, so callers lie higher; a much lower one is on another stack, from which an interrupt came.
      if (next === null || (next.sp <= sp && sp - next.sp < STACK_SIZE)) break;
      found.push(next.ip);
      ({ ip, sp, bp } = next);
      behindCall = entry.kind === FrameKind.Call;
    }
    return found;
  }

  /** The entry for `ip`: the last one whose address is not above it. */
  private find(ip: bigint): OrcEntry | null {
    let low = 0;
    let high = this.count;
    const wanted = Number(BigInt.asIntN(64, ip - this.addressBase));
    if (!Number.isSafeInteger(wanted)) return null;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // An address is relative to where it stands.
      if (middle * ADDRESS_SIZE + this.addresses.getInt32(middle * ADDRESS_SIZE, true) <= wanted) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.entry(low - 1);
  }

  private entry(index: number): OrcEntry {
    const at = index * ENTRY_SIZE;
    const registers = this.entries.getUint8(at + 4);
    const flags = this.entries.getUint8(at + 5);
    return {
      spOffset: this.entries.getInt16(at, true),
      bpOffset: this.entries.getInt16(at + 2, true),
      spReg: registers & 15,
      bpReg: registers >> 4,
      kind: this.newTypes ? newKind(flags & 7) : oldKind(flags & 3, registers & 15),
    };
  }
}

function newKind(type: number): FrameKind {
  return (
    [FrameKind.End, FrameKind.End, FrameKind.Call, FrameKind.Registers, FrameKind.InterruptFrame][type] ?? FrameKind.End
  );
}

function oldKind(type: number, spReg: number): FrameKind {
  if (spReg === OrcReg.Undefined) return FrameKind.End;
  return [FrameKind.Call, FrameKind.Registers, FrameKind.InterruptFrame][type] ?? FrameKind.End;
}

/** Stack pointer of the caller, or address of the record of registers. */
function frameOf(entry: OrcEntry, sp: bigint, bp: bigint | null, memory: GuestMemory): bigint | null {
  const offset = BigInt(entry.spOffset);
  switch (entry.spReg) {
    case OrcReg.Sp:
      return sp + offset;
    case OrcReg.Bp:
      return bp === null ? null : bp + offset;
    case OrcReg.SpIndirect: {
      const base = readWord(memory, sp, 8);
      return base === null ? null : base + offset;
    }
    case OrcReg.BpIndirect:
      return bp === null ? null : readWord(memory, bp + offset, 8);
    default:
      // R10, R13, RDI and RDX serve a few places in the entry code only.
      return null;
  }
}

interface Frame {
  readonly ip: bigint;
  readonly sp: bigint;
  /** null once nothing is known of it. */
  readonly bp: bigint | null;
}

/** The frame that the one at `frame` returns to. */
function step(entry: OrcEntry, frame: bigint, bp: bigint | null, memory: GuestMemory): Frame | null {
  if (entry.kind === FrameKind.Call) {
    const ip = readWord(memory, frame - 8n, 8);
    return ip === null || ip === 0n ? null : { ip, sp: frame, bp: callerBp(entry, frame, bp, memory) };
  }
  const registers = entry.kind === FrameKind.Registers ? frame : frame - PT_IP;
  const ip = readWord(memory, registers + PT_IP, 8);
  const sp = readWord(memory, registers + PT_SP, 8);
  const cs = readWord(memory, registers + PT_CS, 8);
  // User mode was interrupted: the kernel's stack ends here.
  if (ip === null || sp === null || cs === null || (cs & 3n) !== 0n) return null;
  const saved = entry.kind === FrameKind.Registers ? readWord(memory, registers + PT_BP, 8) : bp;
  return { ip, sp, bp: entry.bpReg === OrcReg.Undefined ? saved : callerBp(entry, frame, bp, memory) };
}

function callerBp(entry: OrcEntry, frame: bigint, bp: bigint | null, memory: GuestMemory): bigint | null {
  const offset = BigInt(entry.bpOffset);
  switch (entry.bpReg) {
    case OrcReg.Undefined:
      return bp;
    case OrcReg.PreviousSp:
      return readWord(memory, frame + offset, 8);
    case OrcReg.Bp:
      return bp === null ? null : readWord(memory, bp + offset, 8);
    default:
      return null;
  }
}

function viewOf(memory: GuestMemory, linear: bigint, length: number): Uint8Array | null {
  const address = memory.translate(linear);
  return address < 0 ? null : memory.physical(address, length);
}

/** Whether the kernel's banner, "Linux version 6.1.0 ...", names a release with the newer types. */
function isNewer(symbols: SymbolTable, memory: GuestMemory): boolean {
  const banner = symbols.addressOf("linux_banner");
  const bytes = banner === undefined ? null : viewOf(memory, banner, 32);
  const version = /Linux version (\d+)\.(\d+)/.exec(String.fromCharCode(...(bytes ?? [])));
  if (version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > NEW_TYPES[0] || (major === NEW_TYPES[0] && minor >= NEW_TYPES[1]);
}
