// SPDX-License-Identifier: Apache-2.0
import type { CpuState } from "../cpu/cpu-state.js";
import type { X86Cpu } from "../cpu/x86-cpu.js";
import type { CpuField } from "../cpu-layout.js";
import { abridgedTags, fullTags } from "./x87-tags.js";

/** A register that a debugger can read and write. Values are little endian. */
interface Register {
  /** Bytes. */
  readonly size: number;
  read(): Uint8Array;
  /** False if it cannot have that value now; nothing has changed then. */
  write(value: Uint8Array): boolean;
}

const GPRS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"] as const;
const CONTROLS = [0, 2, 3, 4] as const;
const VECTORS = 16;
const ALL_FLAGS = 0x003f_7fd5;
const CR0_PE = 1n;
const FLAG_VM = 1 << 17;
const MXCSR_WRITABLE = 0xffff;
const FSW_TOP = 7 << 11;
const CANONICAL_BITS = 48;
const LOW_HALF = 0xffff_ffffn;
const U64 = 0xffff_ffff_ffff_ffffn;

function bytesOf(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function valueOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The registers of a vCPU by name. */
export class DebugRegisters {
  private readonly registers = new Map<string, Register>();
  private readonly state: CpuState;

  constructor(private readonly cpu: X86Cpu) {
    this.state = cpu.state;
    this.addGeneral();
    this.addSegments();
    this.addSystem();
    this.addX87();
    this.addVectors();
  }

  read(name: string): Uint8Array | null {
    return this.registers.get(name)?.read() ?? null;
  }

  write(name: string, value: Uint8Array): boolean {
    const register = this.registers.get(name);
    return register !== undefined && register.size === value.length && register.write(value);
  }

  private add(name: string, size: number, read: () => bigint, write: (value: bigint) => boolean): void {
    this.registers.set(name, {
      size,
      read: () => bytesOf(read(), size),
      write: (bytes) => write(valueOf(bytes)),
    });
  }

  /** A register of four bytes that may have any value in `mask`. */
  private addField(name: string, field: CpuField, mask: number): void {
    const { state } = this;
    this.add(
      name,
      4,
      () => BigInt(state.get(field)),
      (value) => (state.set(field, Number(value & BigInt(mask))), true),
    );
  }

  private addGeneral(): void {
    const { state, cpu } = this;
    GPRS.forEach((name, i) =>
      this.add(
        name,
        8,
        () => state.get64("gpr", i),
        // Outside 64-bit mode the upper halves are kept at zero.
        (value) => (state.set64("gpr", this.is64 ? value : value & 0xffff_ffffn, i), true),
      ),
    );
    this.add(
      "rip",
      8,
      () => state.get64("rip"),
      (value) => this.jump(this.is64 ? value : value & 0xffff_ffffn),
    );
    this.add(
      "eflags",
      4,
      () => BigInt(cpu.engine.helpers.readFlags(cpu.record) >>> 0),
      (value) => {
        if (((Number(value) ^ state.get("eflags")) & FLAG_VM) !== 0) return false;
        cpu.engine.helpers.writeFlags(cpu.record, Number(value), ALL_FLAGS);
        cpu.engine.helpers.updateMode(cpu.record);
        return true;
      },
    );
  }

  private addSegments(): void {
    const { state } = this;
    for (const name of SEGMENTS) {
      this.add(
        name,
        4,
        () => BigInt(state.get(`${name}Sel`)),
        (value) => value === BigInt(state.get(`${name}Sel`)) || this.loadRealSegment(name, Number(value)),
      );
    }
    const bases = { fs_base: "fsBase", gs_base: "gsBase", k_gs_base: "kernelGsBase" } as const;
    for (const [name, field] of Object.entries(bases))
      this.add(
        name,
        8,
        () => state.get64(field),
        (value) => isCanonical(value) && (state.set64(field, value), true),
      );
  }

  private addSystem(): void {
    const { state, cpu } = this;
    for (const number of CONTROLS)
      this.add(
        `cr${number}`,
        8,
        () => state.get64(`cr${number}`),
        (value) => this.quietly(() => cpu.engine.helpers.writeControl(cpu.record, number, value)),
      );
    this.add(
      "efer",
      8,
      () => state.get64("efer"),
      (value) => cpu.engine.helpers.writeEfer(cpu.record, value) !== 0,
    );
  }

  private addX87(): void {
    const { state } = this;
    for (let i = 0; i < 8; i++) {
      const bytes = () => state.bytes("fpr", (state.get("fpTop") + i) & 7, 10);
      this.registers.set(`st${i}`, {
        size: 10,
        read: () => bytes().slice(),
        write: (value) => (bytes().set(value), true),
      });
    }
    const values = () => Array.from({ length: 8 }, (_, i) => state.bytes("fpr", i, 10));
    this.add(
      "fctrl",
      4,
      () => BigInt(state.get("fcw")),
      (value) => (state.set("fcw", Number(value & 0x1f7fn) | 0x40), true),
    );
    this.add(
      "fstat",
      4,
      () => BigInt((state.get("fsw") & ~FSW_TOP) | (state.get("fpTop") << 11)),
      (value) => {
        state.set("fsw", Number(value & 0xffffn) & ~FSW_TOP);
        state.set("fpTop", Number((value >> 11n) & 7n));
        return true;
      },
    );
    this.add(
      "ftag",
      4,
      () => BigInt(fullTags(state.get("fpTag"), values())),
      (value) => (state.set("fpTag", abridgedTags(Number(value & 0xffffn))), true),
    );
    // Pointers are kept whole; a debugger sees 32 bits of them beside a selector, as FXSAVE without REX.W stores them.
    for (const [selector, offset, cs, ip] of [
      ["fiseg", "fioff", "fpCs", "fpIp"],
      ["foseg", "fooff", "fpDs", "fpDp"],
    ] as const) {
      this.addField(selector, cs, 0xffff);
      this.add(
        offset,
        4,
        () => state.get64(ip) & LOW_HALF,
        (value) => (state.set64(ip, (state.get64(ip) & (U64 ^ LOW_HALF)) | value), true),
      );
    }
    this.add(
      "fop",
      4,
      () => BigInt(state.get("fpOpcode")),
      (value) => (state.set("fpOpcode", Number(value & 0x7ffn)), true),
    );
  }

  private addVectors(): void {
    const { state } = this;
    for (let i = 0; i < VECTORS; i++) {
      const halves = [`xmm${i}`, `ymm${i}h`];
      halves.forEach((name, half) => {
        const bytes = () => state.bytes("vec", i, 32).subarray(16 * half, 16 * half + 16);
        this.registers.set(name, {
          size: 16,
          read: () => bytes().slice(),
          write: (value) => (bytes().set(value), true),
        });
      });
    }
    this.addField("mxcsr", "mxcsr", MXCSR_WRITABLE);
  }

  private get is64(): boolean {
    return this.cpu.bits === 64;
  }

  private jump(rip: bigint): boolean {
    if (this.is64 && !isCanonical(rip)) return false;
    if (rip === this.state.get64("rip")) return true;
    this.state.set64("rip", rip);
    // A processor that sleeps in HLT goes on at the new address.
    this.state.set("halted", 0);
    this.state.set("interruptShadow", 0);
    this.cpu.debug.moved();
    return true;
  }

  /** In real mode and virtual-8086 mode a selector is all there is to a segment; elsewhere a descriptor belongs to it. */
  private loadRealSegment(name: (typeof SEGMENTS)[number], selector: number): boolean {
    const { state, cpu } = this;
    const real = (state.get64("cr0") & CR0_PE) === 0n || (state.get("eflags") & FLAG_VM) !== 0;
    if (!real || selector > 0xffff) return false;
    state.set(`${name}Sel`, selector);
    state.set64(`${name}Base`, BigInt(selector) << 4n);
    cpu.engine.helpers.updateMode(cpu.record);
    return true;
  }

  /** Does what an instruction at privilege level 0 would; false, without an exception for the guest, if that faults. */
  private quietly(write: () => void): boolean {
    const { state } = this;
    const privilege = state.get("cpl");
    state.set("cpl", 0);
    write();
    state.set("cpl", privilege);
    this.cpu.engine.helpers.updateMode(this.cpu.record);
    const faulted = state.get("fault") !== 0;
    state.set("fault", 0);
    return !faulted;
  }
}

function isCanonical(address: bigint): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(CANONICAL_BITS, address)) === address;
}
