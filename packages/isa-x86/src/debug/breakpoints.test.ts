// SPDX-License-Identifier: Apache-2.0
import type { DebugPoint, DebugResume, DebugStop } from "@isola/ports";
import { beforeEach, describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "../cpu/bare-machine.fixture.js";

const [RAX, RCX, RSI, RDI] = [0, 1, 6, 7];
const FRAME = 0x80_0000;
const DATA = 0x40_0000;

let machine: BareMachine;
beforeEach(() => {
  machine = new BareMachine();
});

const breakpoint = (address: number): DebugPoint => ({ kind: "breakpoint", hardware: false, address: BigInt(address) });
const watchpoint = (access: "write" | "read" | "access", address: number, length: number): DebugPoint => ({
  kind: "watchpoint",
  access,
  address: BigInt(address),
  length,
});

function insert(...points: DebugPoint[]): void {
  for (const point of points) expect(machine.engine.breakpoints.insert(point)).toBe(true);
}

/** Runs on, from `rip` if given, and says why it stopped and where. */
function go(resume: DebugResume = { kind: "continue" }, rip?: number): { stop: DebugStop | string; rip: number } {
  const { cpu } = machine;
  if (rip !== undefined) {
    cpu.state.set64("rip", BigInt(rip));
    cpu.state.set("halted", 0);
  }
  cpu.debug.resume = resume;
  const exit = cpu.run(1_000_000);
  return { stop: exit.kind === "debug" ? exit.stop : exit.kind, rip: Number(cpu.state.get64("rip")) };
}

const HIT = { kind: "breakpoint", hardware: false };
const STEPPED = { stop: { kind: "step" } };

describe("breakpoints", () => {
  // mov ecx,5; loop: inc rax; dec ecx; jne loop
  const LOOP = "b905000000 48ffc0 ffc9 75f9";

  it("stop in front of the instruction, every time", () => {
    machine.load(CODE, LOOP);
    insert(breakpoint(CODE + 8));
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: CODE + 8 });
    for (let i = 2n; i <= 5n; i++) {
      expect(go()).toEqual({ stop: HIT, rip: CODE + 8 });
      expect(machine.get(RAX)).toBe(i);
    }
    expect(go().stop).toBe("halt");
  });

  it("come and go in code that has been executed", () => {
    machine.load(CODE, LOOP);
    machine.run();
    insert(breakpoint(CODE + 5));
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: CODE + 5 });
    machine.engine.breakpoints.clear();
    expect(go().stop).toBe("halt");
    expect(machine.get(RAX)).toBe(10n);
  });

  it("are not seen by the guest, and stay when it overwrites the instruction", () => {
    // mov al,[rip+4]; nop; nop; nop; nop; inc ah
    machine.load(CODE, "8a0504000000 90909090 fec4");
    insert(breakpoint(CODE + 10));
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: CODE + 10 });
    expect(machine.get(RAX) & 0xffn).toBe(0xfen);
    machine.engine.ram.write(CODE + 10, Uint8Array.of(0xfe, 0xcc));
    expect(go().stop).toBe("halt");
    expect(machine.get(RAX) & 0xff00n).toBe(0xff00n);
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: CODE + 10 });
  });

  it("belong to a linear address, wherever it is mapped", () => {
    machine.map(MAPPED, FRAME);
    machine.map(MAPPED + 0x1000, FRAME);
    machine.load(FRAME, "90 48ffc0");
    expect(go(undefined, MAPPED).stop).toBe("halt");
    insert(breakpoint(MAPPED + 0x1001));
    expect(go(undefined, MAPPED).stop).toBe("halt");
    expect(go(undefined, MAPPED + 0x1000)).toEqual({ stop: HIT, rip: MAPPED + 0x1001 });
    expect(go().stop).toBe("halt");
    expect(go(undefined, MAPPED).stop).toBe("halt");
    expect(machine.get(RAX)).toBe(4n);
    // The page moves to another frame, in which there is code already.
    machine.load(FRAME + 0x1000, "90 48ffc0");
    machine.map(MAPPED + 0x2000, FRAME + 0x1000);
    expect(go(undefined, MAPPED + 0x2000).stop).toBe("halt");
    machine.map(MAPPED + 0x1000, FRAME + 0x1000);
    expect(go(undefined, MAPPED + 0x1000)).toEqual({ stop: HIT, rip: MAPPED + 0x1001 });
  });

  it("are met in pages that were read before anything in them was executed", () => {
    // mov rax,[rdi]; jmp rdi
    machine.load(CODE, "488b07 ffe7");
    machine.load(FRAME, "90 90");
    machine.set(RDI, FRAME);
    insert(breakpoint(FRAME + 1));
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: FRAME + 1 });
    // mov [rdi+64],eax between two rounds: the right to write is found anew
    machine.load(CODE, "894740 ffe7");
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: FRAME + 1 });
  });

  it("stop before a page that is not there can fault", () => {
    machine.load(CODE, "90");
    insert(breakpoint(MAPPED));
    machine.handler(14, "f4");
    // jmp rdi
    machine.load(CODE, "ffe7");
    machine.set(RDI, MAPPED);
    expect(go(undefined, CODE).stop).toBe("halt");
    expect(machine.cpu.state.get64("cr2")).toBe(BigInt(MAPPED));
  });

  it("hold the shadow of STI and MOV SS", () => {
    // cli; sti; nop; nop
    machine.load(CODE, "fa fb 90 90");
    machine.handler(0x40, "48ffc0 48cf");
    machine.waiting.push(0x40);
    machine.cpu.state.set("interruptPending", 1);
    insert(breakpoint(CODE + 2));
    expect(go(undefined, CODE)).toEqual({ stop: HIT, rip: CODE + 2 });
    expect(machine.get(RAX)).toBe(0n);
    go();
    expect(machine.get(RAX)).toBe(1n);
  });

  it("work beside the guest's own single-stepping", () => {
    // pushfq; or qword [rsp],0x100; popfq; nop; nop; nop
    machine.load(CODE, "9c 48810c2400010000 9d 90 90 90");
    insert(breakpoint(CODE + 11));
    const stop = go(undefined, CODE);
    expect(stop).toEqual({ stop: HIT, rip: CODE + 11 });
  });

  it("may be software and hardware at once", () => {
    machine.load(CODE, "90 90");
    const hardware: DebugPoint = { kind: "breakpoint", hardware: true, address: BigInt(CODE + 1) };
    insert(hardware, breakpoint(CODE + 1));
    expect(machine.engine.breakpoints.remove(breakpoint(CODE + 1))).toBe(true);
    expect(machine.engine.breakpoints.remove(breakpoint(CODE + 1))).toBe(false);
    expect(go(undefined, CODE).stop).toEqual({ kind: "breakpoint", hardware: true });
    expect(machine.engine.breakpoints.remove(hardware)).toBe(true);
    expect(go(undefined, CODE).stop).toBe("halt");
  });
});

describe("steps", () => {
  it("execute one instruction, emulated ones too", () => {
    // mov eax,7; inc eax; push rax; pop rcx; hlt
    machine.load(CODE, "b807000000 ffc0 50 59");
    for (const length of [5, 2, 1, 1]) {
      const before = machine.cpu.state.get64("rip");
      const at = go({ kind: "step" }, before === 0n || length === 5 ? CODE : undefined);
      expect(at).toMatchObject(STEPPED);
    }
    expect(machine.get(RCX)).toBe(8n);
  });

  it("of a range end where it ends, and at breakpoints in it", () => {
    machine.load(CODE, "b964000000 48ffc0 ffc9 75f9");
    const range: DebugResume = { kind: "range", from: BigInt(CODE), to: BigInt(CODE + 12) };
    expect(go(range, CODE)).toEqual({ stop: { kind: "step" }, rip: CODE + 12 });
    expect(machine.get(RAX)).toBe(100n);
    insert(breakpoint(CODE + 10));
    expect(go(range, CODE)).toEqual({ stop: HIT, rip: CODE + 10 });
  });

  it("hold interrupts back, but end a halt by one", () => {
    // sti; nop; nop; hlt
    machine.load(CODE, "fb 90 90 f4");
    machine.handler(0x40, "48ffc0 48cf");
    machine.waiting.push(0x40);
    machine.cpu.notify();
    for (const rip of [CODE, undefined, undefined, undefined]) go({ kind: "step" }, rip);
    expect(machine.get(RAX)).toBe(0n);
    expect(machine.cpu.state.get("halted")).toBe(1);
    expect(go({ kind: "step" })).toMatchObject(STEPPED);
    expect(machine.waiting).toEqual([]);
  });

  it("into an exception end at its handler", () => {
    machine.load(CODE, "0f0b");
    expect(go({ kind: "step" }, CODE)).toMatchObject(STEPPED);
    expect(machine.cpu.state.get64("rip")).not.toBe(BigInt(CODE));
  });
});

describe("watchpoints", () => {
  const stopAt = (access: "write" | "read" | "access", address: number, rip: number) => ({
    stop: { kind: "watchpoint", access, address: BigInt(address) },
    rip,
  });

  it("stop behind the instruction that writes", () => {
    // mov [rdi],eax; mov [rdi+4],eax; mov [rdi+8],eax; nop
    machine.load(CODE, "8907 894704 894708 90");
    machine.set(RDI, DATA);
    machine.run();
    insert(watchpoint("write", DATA + 6, 1));
    expect(go(undefined, CODE)).toEqual(stopAt("write", DATA + 6, CODE + 5));
    expect(go().stop).toBe("halt");
  });

  it("tell reads from writes, in a read-modify-write too", () => {
    // mov eax,[rdi]; mov [rdi],eax; inc dword [rdi]
    machine.load(CODE, "8b07 8907 ff07");
    machine.set(RDI, DATA);
    insert(watchpoint("read", DATA, 4));
    expect(go(undefined, CODE)).toEqual(stopAt("read", DATA, CODE + 2));
    expect(go()).toEqual(stopAt("read", DATA, CODE + 6));
    machine.engine.breakpoints.clear();
    insert(watchpoint("access", DATA, 4));
    expect(go(undefined, CODE)).toEqual(stopAt("access", DATA, CODE + 2));
    expect(go()).toEqual(stopAt("access", DATA, CODE + 4));
    expect(go()).toEqual(stopAt("access", DATA, CODE + 6));
  });

  it("find the iteration of a string instruction, and vectors and the x87", () => {
    // rep movsb; movups [rdi],xmm0; fninit; fldz; fstp tbyte [rdi]
    machine.load(CODE, "f3a4 0f1107 dbe3 d9ee db3f");
    machine.set(RSI, DATA + 0x1000);
    machine.set(RDI, DATA);
    machine.set(RCX, 64);
    insert(watchpoint("write", DATA + 10, 1), watchpoint("write", DATA + 79, 1), watchpoint("write", DATA + 73, 1));
    expect(go(undefined, CODE)).toEqual(stopAt("write", DATA + 10, CODE));
    expect(machine.get(RCX)).toBe(64n - 11n);
    expect(go().stop).toMatchObject({ address: BigInt(DATA + 79) });
    expect(go().stop).toMatchObject({ address: BigInt(DATA + 73) });
  });

  it("see both pages of an access, and nothing but the bytes asked for", () => {
    // mov [rdi],rax; mov [rdi-16],rax
    machine.load(CODE, "488907 488947f0 90");
    machine.set(RDI, DATA + 0xffc);
    insert(watchpoint("write", DATA + 0x1001, 2));
    expect(go(undefined, CODE)).toEqual(stopAt("write", DATA + 0x1001, CODE + 3));
    expect(go().stop).toBe("halt");
  });

  it("are refused beyond what there is room for", () => {
    for (let i = 0; i < 16; i++) insert(watchpoint("write", DATA + 8 * i, 8));
    expect(machine.engine.breakpoints.insert(watchpoint("write", DATA + 0x1000, 1))).toBe(false);
    expect(machine.engine.breakpoints.insert(watchpoint("write", DATA, 0))).toBe(false);
    expect(machine.engine.breakpoints.insert(watchpoint("write", DATA, 8))).toBe(true);
  });

  it("do not change what a program does", () => {
    // mov ecx,1000; loop: add [rdi],ecx; push rcx; pop rdx; dec ecx; jne loop
    const program = "b9e8030000 010f 51 5a ffc9 75f8";
    machine.load(CODE, program);
    machine.set(RDI, DATA);
    const instructions = machine.run();
    const sum = machine.engine.ram.u32(DATA);
    machine.engine.ram.setU32(DATA, 0);
    insert(watchpoint("write", DATA + 64, 4), breakpoint(CODE + 0x807));
    expect(machine.run()).toBe(instructions);
    expect(machine.engine.ram.u32(DATA)).toBe(sum);
  });
});
