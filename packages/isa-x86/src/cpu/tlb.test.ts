// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "./bare-machine.fixture.js";

const [RAX, RBX] = [0, 3];
const PGE = 1n << 7n;
const PCIDE = 1n << 17n;
const SMEP_SMAP = 3n << 20n;
const GLOBAL = 0x100;
const FRAME_A = 0x80_0000;
const FRAME_B = 0x90_0000;
const DIRECTORY = 0x3000;
/** mov rbx,[0x200000]; mov rax,cr3; mov cr3,rax; mov rax,[0x200000] */
const READ_SWITCH_READ = "488b1c2500002000 0f20d8 0f22d8 488b042500002000";

let machine: BareMachine;
beforeEach(() => {
  machine = new BareMachine();
  machine.engine.ram.setU64(FRAME_A, 0xaaaan);
  machine.engine.ram.setU64(FRAME_B, 0xbbbbn);
});

/** Sets bits of CR4 behind the guest's back. */
function enable(bits: bigint): void {
  const { state, record } = machine.cpu;
  state.set64("cr4", state.get64("cr4") | bits);
  machine.engine.helpers.updateMode(record);
  machine.engine.helpers.flushTlb(record);
}

/** Runs code that, at the `|`, maps the first page of MAPPED to `physical` without telling the TLB. */
function remapDuring(hex: string, physical: number): void {
  // mov qword [0x4000],physical|3
  const [first = "", second = ""] = hex.split("|");
  const entry = (physical | 3).toString(16).padStart(8, "0");
  const bytes = (entry.match(/../g) ?? []).reverse().join("");
  machine.load(CODE, `${first} 48c70425 00400000 ${bytes} ${second}`);
  machine.run();
}

describe("a change of CR3", () => {
  it("drops what is not global, also from the supervisor's TLB", () => {
    for (const bits of [0n, PGE, PGE | SMEP_SMAP]) {
      enable(bits);
      machine.map(MAPPED, FRAME_A);
      remapDuring("488b1c2500002000 | 0f20d8 0f22d8 488b042500002000", FRAME_B);
      expect([machine.get(RBX), machine.get(RAX)]).toEqual([0xaaaan, 0xbbbbn]);
    }
  });

  it("keeps global pages of the supervisor until INVLPG", () => {
    enable(PGE | SMEP_SMAP);
    machine.map(MAPPED, FRAME_A | GLOBAL);
    remapDuring("488b1c2500002000 | 0f20d8 0f22d8 488b042500002000", FRAME_B | GLOBAL);
    expect([machine.get(RBX), machine.get(RAX)]).toEqual([0xaaaan, 0xaaaan]);
    // invlpg [0x200000]; mov rax,[0x200000]
    machine.load(CODE, "0f013c2500002000 488b042500002000");
    machine.run();
    expect(machine.get(RAX)).toBe(0xbbbbn);
  });

  it("drops global pages when CR4.PGE changes", () => {
    enable(PGE | SMEP_SMAP);
    machine.map(MAPPED, FRAME_A | GLOBAL);
    // mov rax,cr4; xor al,0x80; mov cr4,rax
    remapDuring("488b1c2500002000 | 0f20e0 3480 0f22e0 488b042500002000", FRAME_B | GLOBAL);
    expect([machine.get(RBX), machine.get(RAX)]).toEqual([0xaaaan, 0xbbbbn]);
  });

  it("drops more pages than are listed one by one", () => {
    enable(PGE | SMEP_SMAP);
    for (let i = 0; i < 64; i++) machine.map(MAPPED + i * 0x1000, FRAME_A + i * 0x1000);
    // mov rcx,63; read: mov rdx,rcx; shl rdx,12; mov rbx,[rdx+0x200000]; dec rcx; jns read
    const readAll = "48c7c13f000000 4889ca 48c1e20c 488b9a00002000 48ffc9 79ed";
    for (const [frame, seen] of [
      [FRAME_B, 0xbbbbn],
      [FRAME_A, 0xaaaan],
    ] as const) {
      remapDuring(`${readAll} | 0f20d8 0f22d8 488b042500002000`, frame);
      expect(machine.get(RAX)).toBe(seen);
    }
  });

  it("forgets code that is not global", () => {
    enable(PGE | SMEP_SMAP);
    machine.map(MAPPED, FRAME_A);
    machine.engine.ram.write(FRAME_A, Uint8Array.of(0xb0, 1, 0xc3));
    machine.engine.ram.write(FRAME_B, Uint8Array.of(0xb0, 2, 0xc3));
    // mov ecx,0x200000; call rcx; mov bl,al | mov rdx,cr3; mov cr3,rdx; call rcx
    remapDuring("b900002000 ffd1 88c3 | 0f20da 0f22da ffd1", FRAME_B);
    expect([machine.get(RBX) & 0xffn, machine.get(RAX) & 0xffn]).toEqual([1n, 2n]);
  });

  it("keeps the translations of a PCID if bit 63 says so", () => {
    enable(PGE | PCIDE);
    machine.map(MAPPED, FRAME_A);
    // mov rax,cr3; bts rax,63; mov cr3,rax
    remapDuring("488b1c2500002000 | 0f20d8 480fbae83f 0f22d8 488b042500002000", FRAME_B);
    expect(machine.get(RAX)).toBe(0xaaaan);
    machine.load(CODE, READ_SWITCH_READ);
    machine.run();
    expect(machine.get(RAX)).toBe(0xbbbbn);
  });
});

describe("INVLPG", () => {
  it("drops all of a large page", () => {
    const { ram, helpers } = machine.engine;
    const page = 0x40_0000;
    ram.setU64(FRAME_A + 0x5000, 0xaaaan);
    ram.setU64(0xa0_5000, 0xccccn);
    ram.setU64(DIRECTORY + 16, BigInt(FRAME_A) | 0x83n);
    // mov rax,[0x405000]
    machine.load(CODE, "488b042500504000");
    machine.run();
    expect(machine.get(RAX)).toBe(0xaaaan);
    ram.setU64(DIRECTORY + 16, 0xa0_0083n);
    helpers.invalidatePage(machine.cpu.record, BigInt(page + 0x10_0000));
    machine.run();
    expect(machine.get(RAX)).toBe(0xccccn);
  });

  it("of the second page makes an instruction that straddles two pages be decoded again", () => {
    const { ram } = machine.engine;
    machine.map(MAPPED, FRAME_A);
    machine.map(MAPPED + 0x1000, FRAME_A + 0x1000);
    // mov al,1 across the border; ret
    ram.write(FRAME_A + 0xfff, Uint8Array.of(0xb0, 1, 0xc3));
    ram.write(FRAME_B, Uint8Array.of(2, 0xc3));
    machine.load(CODE, "b9ff0f2000 ffd1 ffd1");
    machine.run();
    expect(machine.get(RAX) & 0xffn).toBe(1n);
    machine.map(MAPPED + 0x1000, FRAME_B);
    machine.run();
    expect(machine.get(RAX) & 0xffn).toBe(2n);
  });
});

describe("a page with decoded code", () => {
  it("is written through the slow path by all aliases, however many there are", () => {
    // Four aliases of one frame, written first, so that they may be written without being seen.
    for (let i = 0; i < 4; i++) machine.map(MAPPED + i * 0x1000, FRAME_A);
    // mov byte [0x200001+i*0x1000],i for i = 0..3; then mov ecx,0x200000; call rcx
    const stores = [0, 1, 2, 3].map((i) => `c6042501${(i << 4).toString(16).padStart(2, "0")}2000 0${i}`);
    machine.engine.ram.write(FRAME_A, Uint8Array.of(0xb0, 0, 0xc3));
    const calls = stores.map((store) => `${store} ffd1 00c3`).join(" ");
    machine.set(RBX, 0);
    machine.load(CODE, `${stores.join(" ")} b900002000 ffd1 ${calls}`);
    machine.run();
    expect(machine.get(RBX) & 0xffn).toBe(6n);
  });

  it("is linked again after a block in it was replaced", () => {
    // The jump at 0x200000 leads to 0x200010, which is rewritten; it must find the new block.
    machine.map(MAPPED, FRAME_A);
    machine.engine.ram.write(FRAME_A, Uint8Array.of(0xeb, 0x0e));
    machine.engine.ram.write(FRAME_A + 0x10, Uint8Array.of(0xb0, 7, 0xc3));
    const call = "b900002000 ffd1 00c3";
    machine.set(RBX, 0);
    machine.load(CODE, `${call} ${call} c604251100200009 ${call} ${call}`);
    machine.run();
    expect(machine.get(RBX) & 0xffn).toBe(7n + 7n + 9n + 9n);
  });
});

describe("the time-stamp counter", () => {
  it("sees the instructions retired so far, in the middle of a block as at its end", () => {
    const budget = 1000;
    machine.clock = () => budget - machine.cpu.budgetLeft;
    // nop; rdtsc; mov ebx,eax; nop; nop; rdtsc
    machine.load(CODE, "90 0f31 89c3 90 90 0f31");
    machine.run(CODE, budget);
    expect([machine.get(RBX), machine.get(RAX)]).toEqual([2n, 6n]);
  });

  it("is estimated for a while where it follows a host's clock, until a device is accessed, and never runs ahead", () => {
    const DEVICE = 0xfee0_0000;
    const host = new BareMachine(undefined, null, { estimateTicks: true });
    host.mmio.map(DEVICE, 0x1000, { read: () => 0, write: () => {} });
    host.map(MAPPED, DEVICE);
    let readings = 0;
    host.clock = () => (readings++, 5000);
    // rdtsc; mov ebx,eax; the code between; rdtsc. The second time, since new code is decoded outside.
    const ticksAndReadings = (between: string): [ticks: bigint, readings: number] => {
      host.load(CODE, `0f31 89c3 ${between} 0f31`);
      host.run();
      readings = 0;
      host.run();
      return [host.get(RAX) - host.get(RBX), readings];
    };
    // mov ecx,100; 1: dec ecx; jne 1: with the first MOV and the second RDTSC 203 instructions, eight in a tick
    expect(ticksAndReadings("b964000000 ffc9 75fc")).toEqual([25n, 1]);
    // 4000 instructions; the clock has stood still, but less than what was told before it does not become.
    expect(ticksAndReadings("b9d0070000 ffc9 75fc")).toEqual([0n, 2]);
    // mov ecx,[0x200000]
    expect(ticksAndReadings("8b0c2500002000")).toEqual([0n, 2]);
  });
});
