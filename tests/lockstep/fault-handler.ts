// SPDX-License-Identifier: Apache-2.0
import { disassemble } from "../../packages/isa-x86/src/disassemble/disassemble.js";
import {
  CODE,
  CODE_PAGES,
  codeFrame,
  DATA,
  DATA_PAGES,
  DEVICE_PAGE,
  type GuestPages,
  HANDLER_SIZE,
  HANDLERS_LINEAR,
  is64,
  PAGE,
  PageBit,
  STACK_TOP,
} from "./guest-layout.js";
import type { AssembledProgram, GuestProgram } from "./guest-program.js";
import type { LockstepCpu } from "./lockstep-cpu.js";

const enum Vector {
  Debug = 1,
  DeviceNotAvailable = 7,
  PageFault = 14,
  FloatingPoint = 16,
  AlignmentCheck = 17,
  FirstInterrupt = 32,
}

/** INT3 and INTO leave RIP behind the instruction. */
const TRAPS: ReadonlySet<number> = new Set([3, 4]);
const HAS_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
/** Every so many exceptions the program goes on at one of its blocks, wherever it has run to. */
const PATIENCE = 9;
const RSP = 4;
const IF = 0x200;
const TF = 0x100;
const NT = 0x4000;
const AC = 0x4_0000;
const CR0_TS = 8n;
const FSW_EXCEPTIONS = 0x80ff;
const MAX_LENGTH = 15;

/**
 * The operating system of a random program: the handlers of its exceptions and interrupts halt, this decides what is to
 * happen, and the IRET behind the HLT makes it so. What it does follows from the state of its own vCPU alone.
 */
export class FaultHandler {
  private count = 0;

  constructor(
    private readonly owner: LockstepCpu,
    private readonly pages: GuestPages,
    private readonly program: GuestProgram,
    private readonly assembled: AssembledProgram,
  ) {}

  handle(): void {
    const { state } = this.owner;
    state.set("halted", 0);
    const at = state.get64("rip") - 1n - BigInt(HANDLERS_LINEAR);
    // A HLT of the program itself.
    if (at < 0n || at >= 256n * BigInt(HANDLER_SIZE)) return;
    const vector = Number(at) / HANDLER_SIZE;
    const frame = this.frame(HAS_ERROR_CODE.has(vector));
    if (frame === null) return;
    this.count++;
    let rip = frame.rip;
    let flags = frame.flags & ~NT;
    const action = this.actionFor(vector);
    if (action === "skip") rip += BigInt(this.lengthAt(rip));
    if (vector === Vector.Debug) flags &= ~TF;
    if (vector === Vector.AlignmentCheck) flags &= ~AC;
    if (this.count % PATIENCE === PATIENCE - 1 || this.lengthAt(rip) === 0) {
      rip = BigInt(this.assembled.entries[this.count % this.assembled.entries.length] ?? CODE);
      flags |= IF;
      frame.setRsp(STACK_TOP);
    }
    frame.setRip(rip);
    frame.setFlags(flags);
  }

  private actionFor(vector: number): "retry" | "skip" {
    const { state, engine } = this.owner;
    if (vector >= Vector.FirstInterrupt || TRAPS.has(vector)) return "retry";
    switch (vector) {
      case Vector.Debug:
      case Vector.AlignmentCheck:
        return "retry";
      case Vector.DeviceNotAvailable:
        state.set64("cr0", state.get64("cr0") & ~CR0_TS);
        engine.helpers.updateMode(this.owner.cpu.record);
        return "retry";
      case Vector.FloatingPoint:
        state.set("fsw", state.get("fsw") & ~FSW_EXCEPTIONS);
        return "retry";
      case Vector.PageFault:
        return this.mapFaulting() ? "retry" : "skip";
      default:
        return "skip";
    }
  }

  private mapFaulting(): boolean {
    const page = Number(this.owner.state.get64("cr2") & 0xffff_f000n);
    const entry = this.pages.entry(page);
    const frame = entry & ~(PAGE - 1);
    if (frame === 0 || this.owner.state.get64("cr2") >> 32n !== 0n) return false;
    if ((entry & PageBit.Present) === 0) {
      this.pages.set(page, frame, (entry & (PAGE - 1)) | PageBit.Present);
      return true;
    }
    if ((entry & PageBit.Writable) !== 0 || this.count % 3 !== 0) return false;
    this.pages.set(page, frame, (entry & (PAGE - 1)) | PageBit.Writable);
    return true;
  }

  /** Takes a page away, moves a page of code to its other frame, or makes a page of data read-only. */
  disturb(choice: number): void {
    const { pages } = this;
    const code = CODE + (choice % CODE_PAGES) * PAGE;
    const page = 1 + (choice % (DATA_PAGES - 1));
    const data = DATA + (page === DEVICE_PAGE ? 1 : page) * PAGE;
    const change = (linear: number, to: (entry: number) => number): void => {
      const entry = to(pages.entry(linear));
      pages.set(linear, entry & ~(PAGE - 1), entry & (PAGE - 1));
      this.owner.invalidate(linear);
    };
    switch ((choice >> 4) & 7) {
      case 0:
        return change(code, (entry) => entry & ~PageBit.Present);
      case 1:
        return change(data, (entry) => entry & ~PageBit.Present);
      case 2:
        return change(data, (entry) => entry & ~PageBit.Writable);
      default:
        return change(code, (entry) => {
          const other = (entry & ~(PAGE - 1)) === codeFrame(choice % CODE_PAGES);
          return codeFrame(choice % CODE_PAGES, other) | (entry & (PAGE - 1));
        });
    }
  }

  private physical(linear: bigint): number {
    if (linear >> 32n !== 0n) return -1;
    const entry = this.pages.entry(Number(linear & 0xffff_f000n));
    return (entry & PageBit.Present) === 0 ? -1 : (entry & ~(PAGE - 1)) + Number(linear & 0xfffn);
  }

  /** Bytes of the instruction at `rip`; 0 if there is no code. */
  private lengthAt(rip: bigint): number {
    const bytes: number[] = [];
    const { memory } = this.owner;
    for (let i = 0; i < MAX_LENGTH; i++) {
      const at = this.physical(rip + BigInt(i));
      if (at < 0 || at >= memory.length) break;
      bytes.push(memory[at]);
    }
    if (bytes.length === 0) return 0;
    const mode = { codeSize: is64(this.program.mode) ? 64 : 32, vex: true } as const;
    return disassemble(Uint8Array.from(bytes), 0, bytes.length, mode, 0n).length;
  }

  /** What the processor has pushed; null if the stack has gone. An error code is taken off it. */
  private frame(hasError: boolean): Frame | null {
    const { state, engine } = this.owner;
    const { ram } = engine;
    const legacy = this.program.mode === "kernel32";
    const size = legacy ? 4 : 8;
    const top = state.get64("gpr", RSP) + (hasError ? BigInt(size) : 0n);
    state.set64("gpr", top, RSP);
    const field = (index: number): number => this.physical(top + BigInt(index * size));
    const fields = [0, 1, 2].map(field);
    if (fields.some((at) => at < 0 || at + size > ram.size)) return null;
    const [ripAt, , flagsAt] = fields;
    return {
      rip: legacy ? BigInt(ram.u32(ripAt)) : ram.u64(ripAt),
      flags: ram.u32(flagsAt),
      setRip: (value) => void (legacy ? ram.setU32(ripAt, Number(value & 0xffff_ffffn)) : ram.setU64(ripAt, value)),
      setFlags: (value) => void ram.setU32(flagsAt, value),
      setRsp: (value) => void (legacy || ram.setU64(field(3), BigInt(value))),
    };
  }
}

interface Frame {
  readonly rip: bigint;
  readonly flags: number;
  setRip(value: bigint): void;
  setFlags(value: number): void;
  /** Without effect in legacy mode, which does not push it. */
  setRsp(value: number): void;
}
