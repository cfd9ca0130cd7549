// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { BareMachine, CODE } from "./bare-machine.fixture.js";

const EXTRA = 8192;
const ROM_AT = 0xfff0_0000;
const RAX = 0;

/** Reads or writes a dword at a physical address below 1 GiB as the guest does; the fixture maps RAM one to one. */
function makeMachine() {
  const machine = new BareMachine(undefined, null, { extraMemory: EXTRA });
  const seen: string[] = [];
  machine.mmio.map(0xa_0000, 0x6_0000, {
    read: (offset) => {
      seen.push(`read ${offset.toString(16)}`);
      return 0xd0;
    },
    write: (offset, _size, value) => void seen.push(`write ${offset.toString(16)} ${value.toString(16)}`),
  });
  const run = (hex: string): void => {
    machine.load(CODE, hex);
    machine.run();
  };
  const at = (address: number): string =>
    [0, 8, 16, 24].map((shift) => ((address >>> shift) & 0xff).toString(16).padStart(2, "0")).join("");
  const read = (address: number): number => {
    run(`8b0425${at(address)}`);
    return Number(machine.get(RAX));
  };
  const write = (address: number, value: number): void => {
    machine.set(RAX, value);
    run(`890425${at(address)}`);
  };
  return { machine, physical: machine.engine.physical, ram: machine.engine.ram, read, seen, write };
}

describe("physical map", () => {
  it("hides RAM of the first megabyte behind devices and shows it again, to devices too", () => {
    const { physical, ram, read, seen, write } = makeMachine();
    ram.setU32(0xa_1000, 0x1111);
    expect(read(0xa_1000)).toBe(0x1111);
    physical.backLow(0xa_0000, 0x2_0000, "device", "device");
    expect(read(0xa_1000)).toBe(0xd0);
    write(0xa_1004, 7);
    expect(seen).toEqual(["read 1000", "write 1004 7"]);
    expect(ram.peek(0xa_1000, 4)).toBeNull();
    expect(ram.write(0x9_fffe, new Uint8Array(4))).toBe(false);
    expect(ram.write(0x9_fffe, new Uint8Array(2))).toBe(true);
    physical.backLow(0xa_0000, 0x2_0000, "ram", "ram");
    expect(read(0xa_1000)).toBe(0x1111);
    expect(ram.u32(0xa_1000)).toBe(0x1111);
  });

  it("reads ROM and writes the RAM under it, or protects that RAM", () => {
    const { physical, ram, read, seen, write } = makeMachine();
    const rom = physical.takeExtra(4096);
    rom.bytes.set([0x52, 0x4f, 0x4d, 0]);
    physical.backLow(0xf_0000, 4096, { offset: rom.offset }, "ram");
    expect(read(0xf_0000)).toBe(0x4d_4f52);
    write(0xf_0000, 0x1234);
    expect(read(0xf_0000)).toBe(0x4d_4f52);
    physical.backLow(0xf_0000, 4096, "ram", "device");
    expect(read(0xf_0000)).toBe(0x1234);
    write(0xf_0000, 0x5678);
    expect(read(0xf_0000)).toBe(0x1234);
    expect(seen).toEqual(["write 50000 5678"]);
    expect(ram.u32(0xf_0000)).toBe(0x1234);
  });

  it("executes what it shows", () => {
    const { machine, physical, ram } = makeMachine();
    const rom = physical.takeExtra(4096);
    // mov eax, 1; hlt in ROM; mov eax, 2; hlt in RAM.
    rom.bytes.set([0xb8, 1, 0, 0, 0, 0xf4]);
    ram.write(0xe_0000, Uint8Array.of(0xb8, 2, 0, 0, 0, 0xf4));
    const result = (): number => {
      machine.run(0xe_0000);
      return Number(machine.get(RAX));
    };
    physical.backLow(0xe_0000, 4096, { offset: rom.offset }, "ram");
    expect(result()).toBe(1);
    physical.backLow(0xe_0000, 4096, "ram", "ram");
    expect(result()).toBe(2);
    physical.backLow(0xe_0000, 4096, { offset: rom.offset }, "device");
    expect(result()).toBe(1);
  });

  it("moves windows, which need not be writable", () => {
    const { machine, physical } = makeMachine();
    const memory = physical.takeExtra(4096);
    const twin = physical.takeExtra(4096);
    const first = physical.addWindow(memory, true);
    const second = physical.addWindow(twin, false);
    const { helpers } = machine.engine;
    first.place(ROM_AT);
    second.place(ROM_AT + 4096);
    helpers.writePhysical(BigInt(ROM_AT), 4, 0x77n);
    helpers.writePhysical(BigInt(ROM_AT + 4096), 4, 0x77n);
    expect([memory.bytes[0], twin.bytes[0]]).toEqual([0x77, 0]);
    first.place(0x8000_0000);
    expect(helpers.readPhysical(0x8000_0000n, 4)).toBe(0x77n);
    expect(helpers.readPhysical(BigInt(ROM_AT), 4)).toBe(0xffff_ffffn);
    first.place(null);
    expect(helpers.readPhysical(0x8000_0000n, 4)).toBe(0xffff_ffffn);
    expect(() => physical.takeExtra(4096)).toThrow(/more memory/);
  });

  it("masks address line 20 for reads, writes and code", () => {
    const { machine, physical, ram, read, write } = makeMachine();
    ram.setU32(0x7_0000, 1);
    ram.setU32(0x17_0000, 2);
    physical.setA20(false);
    expect(read(0x7_0000)).toBe(1);
    expect(Number(machine.engine.helpers.readPhysical(0x17_0000n, 4))).toBe(1);
    expect(Number(machine.engine.helpers.readPhysical(0x27_0000n, 4))).toBe(ram.u32(0x27_0000));
    machine.engine.helpers.writePhysical(0x17_0004n, 4, 9n);
    expect([ram.u32(0x7_0004), ram.u32(0x17_0004)]).toEqual([9, 0]);
    physical.setA20(true);
    write(0x17_0004, 5);
    expect([ram.u32(0x7_0004), ram.u32(0x17_0004)]).toEqual([9, 5]);
  });
});
