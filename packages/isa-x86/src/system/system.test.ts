// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { Msr } from "./msr-number.js";
import { SystemMachine } from "./system-machine.fixture.js";

const [RAX, RCX, RDX, RBX, RSP, RSI, RDI] = [0, 1, 2, 3, 4, 6, 7];
const [DB, UD, GP, PF] = [1, 6, 13, 14];
const RDMSR = "0f32";
const WRMSR = "0f30";
const FAR = 0x80_0000;

let machine: SystemMachine;
beforeEach(() => {
  machine = new SystemMachine();
});

function write(msr: number, value: bigint): number {
  machine.set(RCX, msr);
  machine.set(RAX, value & 0xffff_ffffn);
  machine.set(RDX, value >> 32n);
  return machine.execute(WRMSR);
}

function read(msr: number): bigint | number {
  machine.set(RCX, msr);
  const vector = machine.execute(RDMSR);
  return vector >= 0 ? vector : (machine.get(RDX) << 32n) | machine.get(RAX);
}

describe("model-specific registers", () => {
  it("keep what is written", () => {
    for (const msr of [Msr.Star, Msr.Lstar, Msr.KernelGsBase, Msr.FsBase, Msr.SysenterEip]) {
      expect(write(msr, 0x0000_7fff_1234_5678n)).toBe(-1);
      expect(read(msr)).toBe(0x0000_7fff_1234_5678n);
    }
  });

  it("raise #GP(0) for addresses that are not canonical, reserved bits, and numbers that do not exist", () => {
    expect(write(Msr.Lstar, 0x8000_0000_0000n)).toBe(GP);
    expect(machine.errorCode).toBe(0);
    expect(write(Msr.Fmask, 1n << 32n)).toBe(GP);
    expect(write(Msr.Efer, 1n << 2n)).toBe(GP);
    expect(write(Msr.Pat, 0x02n)).toBe(GP);
    expect(write(Msr.ArchCapabilities, 0n)).toBe(GP);
    expect(read(Msr.PredCmd)).toBe(GP);
    expect(write(Msr.SpecCtrl, 4n)).toBe(GP);
    expect(read(0x1234_5678)).toBe(GP);
  });

  it("refuse LME while paging is on, and keep LMA", () => {
    expect(read(Msr.Efer)).toBe(0xd01n);
    expect(write(Msr.Efer, 0xc01n)).toBe(GP);
    expect(write(Msr.Efer, 0xd00n)).toBe(-1);
    expect(read(Msr.Efer)).toBe(0xd00n);
  });

  it("move the time-stamp counter and its adjustment together", () => {
    expect(write(Msr.Tsc, 5_000_000n)).toBe(-1);
    expect(read(Msr.Tsc)).toBe(5_000_000n);
    expect(read(Msr.TscAdjust)).toBe(4_000_000n);
    machine.ticks += 7;
    expect(write(Msr.TscAdjust, 0n)).toBe(-1);
    expect(read(Msr.Tsc)).toBe(1_000_007n);
  });

  it("hold memory types in MTRRs and the PAT", () => {
    expect(write(Msr.MtrrFix4K + 7, 0x0606_0606_0606_0606n)).toBe(-1);
    expect(read(Msr.MtrrFix4K + 7)).toBe(0x0606_0606_0606_0606n);
    expect(write(Msr.MtrrFix64K, 0x07n)).toBe(GP);
    expect(write(Msr.MtrrPhysBase0 + 15, 0xff_ffff_f800n)).toBe(-1);
    expect(read(Msr.MtrrPhysBase0 + 16)).toBe(GP);
    expect(write(Msr.Pat, 0x0007_0406_0007_0406n)).toBe(-1);
  });

  it("belong to ring 0", () => {
    expect(machine.executeInRing3(RDMSR)).toBe(GP);
  });
});

describe("the time-stamp counter", () => {
  it("is read by RDTSC and, with the CPU's number, by RDTSCP and RDPID", () => {
    write(Msr.TscAux, 0x1234n);
    machine.ticks = 0x1_2345_6789;
    expect(machine.execute("0f31")).toBe(-1);
    expect([machine.get(RDX), machine.get(RAX)]).toEqual([1n, 0x2345_6789n]);
    machine.execute("0f01f9");
    expect(machine.get(RCX)).toBe(0x1234n);
    // rdpid rbx
    machine.execute("f30fc7fb");
    expect(machine.get(RBX)).toBe(0x1234n);
  });

  it("is reserved for ring 0 by CR4.TSD", () => {
    expect(machine.executeInRing3("0f31 0f0b")).toBe(UD);
    machine.cpu.state.set64("cr4", machine.cpu.state.get64("cr4") | 4n);
    expect(machine.executeInRing3("0f31 0f0b")).toBe(GP);
  });
});

describe("random numbers", () => {
  it("come with CF set and the other flags clear, in the size of the operand", () => {
    machine.set(RAX, 0x1111_1111_1111_1111n);
    // or eax,eax first: clears ZF, sets nothing; then stc-independent
    expect(machine.execute("0fc7f0")).toBe(-1);
    expect(machine.get(RAX)).toBe(0xa5a5_a5a5n);
    expect(machine.engine.helpers.readFlags(machine.cpu.record) & 0x8d5).toBe(1);
    machine.set(RAX, 0x1111_1111_1111_1111n);
    machine.execute("660fc7f8");
    expect(machine.get(RAX)).toBe(0x1111_1111_1111_a5a5n);
    machine.execute("480fc7f0");
    expect(machine.get(RAX)).toBe(0xa5a5_a5a5_a5a5_a5a5n);
  });
});

describe("control registers", () => {
  it("refuse combinations that the manual forbids", () => {
    const attempt = (cr: number, value: bigint): number => {
      machine.set(RAX, value);
      // mov crN,rax
      return machine.execute(`0f22${(0xc0 + cr * 8).toString(16)}`);
    };
    expect(attempt(0, 0x8000_0032n)).toBe(GP);
    expect(attempt(0, 0xa000_0033n)).toBe(GP);
    expect(attempt(0, 0x1_8000_0033n)).toBe(GP);
    // Paging cannot be switched off in 64-bit code, nor PAE.
    expect(attempt(0, 0x33n)).toBe(GP);
    expect(attempt(4, 0x600n)).toBe(GP);
    expect(attempt(4, 1n << 18n)).toBe(GP);
    expect(attempt(3, 1n << 40n)).toBe(GP);
    expect(attempt(1, 0n)).toBe(UD);
    expect(attempt(4, 0x2_0620n)).toBe(-1);
    expect(machine.cpu.state.get64("cr4")).toBe(0x2_0620n);
  });

  it("CR8 is the task priority of the APIC", () => {
    machine.set(RAX, 9);
    // mov cr8,rax
    expect(machine.execute("440f22c0")).toBe(-1);
    expect(machine.apic.taskPriority).toBe(0x90);
    // mov rbx,cr8
    machine.execute("440f20c3");
    expect(machine.get(RBX)).toBe(9n);
    machine.set(RAX, 16);
    expect(machine.execute("440f22c0")).toBe(GP);
  });

  it("INVPCID checks its type and descriptor", () => {
    const { ram } = machine.engine;
    machine.set(RDI, FAR);
    const invpcid = (type: number, low: bigint, address: bigint): number => {
      machine.set(RAX, type);
      ram.setU64(FAR, low);
      ram.setU64(FAR + 8, address);
      return machine.execute("660f388207");
    };
    for (const type of [0, 1, 2, 3]) expect(invpcid(type, 0n, 0x1000n)).toBe(-1);
    expect(invpcid(4, 0n, 0n)).toBe(GP);
    expect(invpcid(0, 1n, 0n)).toBe(GP);
    expect(invpcid(0, 0x1000n, 0n)).toBe(GP);
    expect(invpcid(0, 0n, 0x8000_0000_0000n)).toBe(GP);
    machine.set(RDI, 0x20_0000);
    expect(machine.execute("660f388207")).toBe(PF);
  });
});

describe("debug registers", () => {
  it("have fixed and reserved bits", () => {
    machine.set(RAX, 0xffff_ffffn);
    // mov dr6,rax; mov rbx,dr6
    expect(machine.execute("0f23f0 0f21f3")).toBe(-1);
    expect(machine.get(RBX)).toBe(0xffff_efffn);
    machine.set(RAX, 0n);
    machine.execute("0f23f8 0f21fb");
    expect(machine.get(RBX)).toBe(0x400n);
    machine.set(RAX, 1n << 32n);
    expect(machine.execute("0f23f8")).toBe(GP);
  });

  it("are guarded by general detect, DE and the privilege level", () => {
    machine.set(RAX, 0x2400n);
    // mov dr7,rax; mov rbx,dr0
    expect(machine.execute("0f23f8 0f21c3")).toBe(DB);
    expect(machine.cpu.state.get64("dr", 6) & 0x2000n).toBe(0x2000n);
    // #DB has cleared GD. mov rbx,dr4 is DR6 without CR4.DE.
    expect(machine.execute("0f21e3")).toBe(-1);
    machine.cpu.state.set64("cr4", machine.cpu.state.get64("cr4") | 8n);
    expect(machine.execute("0f21e3")).toBe(UD);
    expect(machine.executeInRing3("0f21c3")).toBe(GP);
  });
});

describe("ports", () => {
  it("are read and written in three widths", () => {
    machine.input.push(0x12, 0x3456, 0x789a_bcde);
    machine.set(RAX, 0xffff_ffff_ffff_ffffn);
    machine.set(RDX, 0x3f8);
    machine.execute("ec");
    expect(machine.get(RAX)).toBe(0xffff_ffff_ffff_ff12n);
    machine.execute("66ed");
    expect(machine.get(RAX)).toBe(0xffff_ffff_ffff_3456n);
    machine.execute("e580");
    expect(machine.get(RAX)).toBe(0x789a_bcden);
    machine.execute("ee 66ef e7ff");
    expect(machine.written).toEqual([
      [0x3f8, 1, 0xde],
      [0x3f8, 2, 0xbcde],
      [0xff, 4, 0x789a_bcde],
    ]);
  });

  it("need I/O privilege or a bit of the I/O map", () => {
    machine.set(RDX, 0x3f8);
    expect(machine.executeInRing3("ec 0f0b")).toBe(GP);
    const { ram } = machine.engine;
    machine.cpu.state.set("trLimit", 0x67 + 0x100);
    const allow = (port: number): number => {
      ram.setU16(0x7066, 0x68);
      machine.cpu.state.set("trLimit", 0x67 + 0x100);
      for (let i = 0; i < 0x100; i++) ram.setU8(0x7068 + i, 0xff);
      ram.setU8(0x7068 + (port >> 3), 0xff & ~(1 << (port & 7)));
      machine.set(RDX, 0x3f8);
      const { state } = machine.cpu;
      state.set("csAttr", 0xa0fb);
      state.set("csSel", 0x1b);
      state.set("cpl", 3);
      machine.engine.helpers.updateMode(machine.cpu.record);
      return machine.execute("ec 0f0b");
    };
    expect(allow(0x3f8)).toBe(UD);
    expect(allow(0x3f9)).toBe(GP);
  });

  it("REP INS stops exactly where a page is missing", () => {
    machine.map(0x20_0000, FAR);
    machine.set(RDI, 0x20_0ffc);
    machine.set(RCX, 10);
    machine.set(RDX, 0x1f0);
    machine.input.push(...[1, 2, 3, 4, 5, 6]);
    // rep insw
    expect(machine.execute("f3666d")).toBe(PF);
    expect([machine.get(RCX), machine.get(RDI)]).toEqual([8n, 0x20_1000n]);
    expect(machine.engine.ram.u32(FAR + 0xffc)).toBe(0x0002_0001);
    // The third word was not taken from the port.
    expect(machine.input).toEqual([3, 4, 5, 6]);
  });

  it("REP OUTS goes on over more than one batch, backwards if DF says so", () => {
    machine.set(RSI, FAR + 3000);
    machine.set(RCX, 3000);
    machine.set(RDX, 0x80);
    for (let i = 0; i <= 3000; i++) machine.engine.ram.setU8(FAR + i, i & 0xff);
    // std; rep outsb; cld
    expect(machine.execute("fd f36e fc")).toBe(-1);
    expect(machine.written.length).toBe(3000);
    expect(machine.written[2999]).toEqual([0x80, 1, 1]);
    expect([machine.get(RCX), machine.get(RSI)]).toEqual([0n, BigInt(FAR)]);
  });
});

describe("a repeated port instruction without end", () => {
  it("lets the run loop go when the budget is used up", () => {
    const { cpu } = machine;
    machine.set(RCX, 1n << 40n);
    machine.set(RDX, 0x80);
    // rep insb, from and to nowhere in particular
    machine.set(RDI, FAR);
    machine.load(0x1_0000, "f36c");
    cpu.state.set64("rip", 0x1_0000n);
    expect(cpu.run(100).kind).toBe("budget");
    expect(cpu.state.get64("rip")).toBe(0x1_0000n);
    expect(machine.get(RCX)).toBeLessThan(1n << 40n);
  });
});

describe("the stack and flags", () => {
  it("HLT, CLI and STI belong to ring 0 with IOPL 0", () => {
    expect(machine.executeInRing3("90")).toBe(GP);
    for (const hex of ["fa", "fb"]) {
      machine = new SystemMachine();
      expect(machine.executeInRing3(hex)).toBe(GP);
    }
  });

  it("an interrupt waits for one instruction after STI", () => {
    // sti; mov bl,1; mov bl,2
    machine.handler(0x40, "f4");
    machine.waiting.push(0x40);
    machine.cpu.notify();
    machine.execute("fb b301 b302");
    expect(machine.get(RBX)).toBe(1n);
    expect(Number(machine.engine.ram.u64(Number(machine.get(RSP)))) - 0x1_0000).toBe(3);
  });
});
