// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../conformance/memory-store.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { configureUsb, recordingHost, request, usbRange } from "../conformance/usb-requests.js";
import { NAK, STALL } from "../usb/device.js";
import { UsbStorage } from "./device.js";

const BLOCKS = 512;
const IN = 0x80;
const OUT = 0;

function wrapper(tag: number, length: number, flags: number, command: readonly number[], lun = 0): Uint8Array {
  const bytes = new Uint8Array(31);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x4342_5355, true);
  view.setUint32(4, tag, true);
  view.setUint32(8, length, true);
  bytes.set([flags, lun, command.length, ...command], 12);
  return bytes;
}

function makeDisk(store = new MemoryStore(BLOCKS * 512)) {
  const errors: unknown[] = [];
  const disk = new UsbStorage({ store, serial: "S1", onStoreError: (error) => errors.push(error) });
  const host = recordingHost(disk);
  configureUsb(disk);
  /** What comes until the device has no more, or `length` bytes have come. */
  const take = (length: number, piece = 65_536): number[] => {
    const found: number[] = [];
    while (found.length < length) {
      const into = new Uint8Array(Math.min(piece, length - found.length));
      const count = disk.transferIn(1, into);
      if (count < 0) throw new Error(`IN gave ${count}`);
      found.push(...into.subarray(0, count));
      if (count === 0 || count % 1024 !== 0) break;
    }
    return found;
  };
  const send = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length;) {
      const count = disk.transferOut(2, bytes.subarray(at, at + 65_536));
      if (count <= 0) throw new Error(`OUT gave ${count}`);
      at += count;
    }
  };
  /** Status and residue. */
  const status = (): [number, number] => {
    const bytes = Uint8Array.from(take(13));
    expect([...bytes.subarray(0, 4)]).toEqual([0x55, 0x53, 0x42, 0x53]);
    return [bytes[12]!, new DataView(bytes.buffer).getUint32(8, true)];
  };
  const read = (command: readonly number[], length: number, lun = 0): { data: number[]; status: [number, number] } => {
    send(wrapper(1, length, IN, command, lun));
    const data = length > 0 ? take(length) : [];
    return { data, status: status() };
  };
  const write = (command: readonly number[], data: Uint8Array): [number, number] => {
    send(wrapper(1, data.length, OUT, command));
    if (data.length > 0) send(data);
    return status();
  };
  const sense = (): [key: number, code: number] => {
    const { data } = read([3, 0, 0, 0, 18, 0], 18);
    return [data[2]!, (data[12]! << 8) | data[13]!];
  };
  return { disk, errors, host, read, send, sense, status, store, take, write };
}

deviceConformance("usb-storage", () => {
  const { disk } = makeDisk();
  const command = (random: () => number): void => {
    const opcode = [0, 3, 8, 0x0a, 0x12, 0x1a, 0x25, 0x28, 0x2a, 0x35, 0x5a, 0x88, 0x9e, 0xa0][random() % 14]!;
    const bytes = Array.from({ length: 15 }, () => (random() % 3 === 0 ? random() & 0xff : 0));
    disk.transferOut(2, wrapper(random(), random() % 4096, random() & 0x80, [opcode, ...bytes]));
  };
  return { device: disk, ranges: [usbRange(disk)], pokes: [command, () => configureUsb(disk)] };
});

describe("a USB disk", () => {
  it("says what it is", () => {
    const { disk, read } = makeDisk();
    const configuration = request(disk, [0x80, 6, 0, 2, 0, 0, 255, 0]) as number[];
    expect([configuration[2], configuration.slice(14, 17)]).toEqual([44, [8, 6, 0x50]]);
    const store = request(disk, [0x80, 6, 0, 15, 0, 0, 255, 0]) as number[];
    expect(store.length).toBe(store[2]);
    expect(request(disk, [0xa1, 0xfe, 0, 0, 0, 0, 1, 0])).toEqual([0]);
    const inquiry = read([0x12, 0, 0, 0, 36, 0], 36);
    expect([inquiry.data[0], String.fromCharCode(...inquiry.data.slice(8, 13))]).toEqual([0, "ISOLA"]);
    expect(inquiry.status).toEqual([0, 0]);
    expect(read([0x12, 1, 0x80, 0, 255, 0], 255)).toMatchObject({ status: [0, 255 - 24] });
    expect(read([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8).data).toEqual([0, 0, 1, 255, 0, 0, 2, 0]);
    const sixteen = [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0];
    expect(read(sixteen, 32).data.slice(0, 12)).toEqual([0, 0, 0, 0, 0, 0, 1, 255, 0, 0, 2, 0]);
    expect(read([0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0], 16).data[3]).toBe(8);
    const mode = read([0x1a, 0, 0x3f, 0, 192, 0], 192).data;
    expect(mode[0]).toBe(mode.length - 1);
    expect(read([0x1a, 0, 0x22, 0, 192, 0], 192)).toEqual({ data: [], status: [1, 192] });
    expect(read([0x12, 0, 0, 0, 36, 0], 36, 3).data[0]).toBe(0x7f);
    expect(read([0, 0, 0, 0, 0, 0], 0, 3).status).toEqual([1, 0]);
  });

  it("reads and writes, in pieces of any size", () => {
    const { read, store, write } = makeDisk();
    const command = [0x28, 0, 0, 0, 0, 3, 0, 0, 200, 0];
    expect(read(command, 200 * 512)).toEqual({ data: [...store.bytes.subarray(3 * 512, 203 * 512)], status: [0, 0] });
    const bytes = Uint8Array.from({ length: 140 * 512 }, (_, i) => i * 7);
    expect(write([0x2a, 0, 0, 0, 0, 9, 0, 0, 140, 0], bytes)).toEqual([0, 0]);
    expect([...store.bytes.subarray(9 * 512, 149 * 512)]).toEqual([...bytes]);
    expect(write([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0], new Uint8Array())).toEqual([0, 0]);
    expect(store.log).toEqual(["flush"]);
    expect(read([0x08, 0, 0, 5, 1, 0], 512).data).toEqual([...store.bytes.subarray(5 * 512, 6 * 512)]);
    const long = [0x88, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0];
    expect(read(long, 1024).data).toEqual([...store.bytes.subarray(6 * 512, 8 * 512)]);
  });

  it("gathers blocks from packets that are smaller", () => {
    const { disk, send, status, store } = makeDisk();
    send(wrapper(1, 1024, OUT, [0x2a, 0, 0, 0, 0, 1, 0, 0, 2, 0]));
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => i * 3 + 1);
    for (const [from, to] of [
      [0, 100],
      [100, 700],
      [700, 1024],
    ] as const)
      expect(disk.transferOut(2, bytes.subarray(from, to))).toBe(to - from);
    expect(status()).toEqual([0, 0]);
    expect([...store.bytes.subarray(512, 1536)]).toEqual([...bytes]);
  });

  it("refuses what is beyond its end, and unknown commands, and says why", () => {
    const { read, sense, store, write } = makeDisk();
    const before = store.bytes.slice();
    expect(read([0x28, 0, 0, 0, 1, 255, 0, 0, 2, 0], 1024)).toEqual({ data: [], status: [1, 1024] });
    expect(sense()).toEqual([5, 0x2100]);
    expect(sense()).toEqual([0, 0]);
    expect(read([0x88, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0], 512).status[0]).toBe(1);
    expect(write([0x2a, 0, 0, 1, 0, 0, 0, 0, 1, 0], new Uint8Array(512))).toEqual([1, 512]);
    expect(read([0x77, 0, 0, 0, 0, 0], 0).status).toEqual([1, 0]);
    expect(sense()).toEqual([5, 0x2000]);
    expect(store.bytes).toEqual(before);
  });

  it("tells of data that the host does not expect", () => {
    const { read, status, send, store, write } = makeDisk();
    const before = store.bytes.slice();
    // Less than the device has, none at all, and the other way.
    expect(read([0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], 512)).toMatchObject({ status: [2, 0] });
    expect(read([0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], 0).status).toEqual([2, 0]);
    expect(write([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], new Uint8Array(512))).toEqual([2, 512]);
    send(wrapper(1, 0, OUT, [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0]));
    expect(status()).toEqual([2, 0]);
    // More: what there is, and then the end.
    expect(read([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 4096)).toMatchObject({ status: [0, 4088] });
    expect(read([0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], 4096)).toMatchObject({ status: [0, 3072] });
    expect(store.bytes).toEqual(before);
  });

  it("halts both pipes on a wrapper that makes no sense, until it is reset", () => {
    const { disk, read } = makeDisk();
    expect(disk.transferOut(2, new Uint8Array(31))).toBe(STALL);
    expect(request(disk, [2, 1, 0, 0, 0x81, 0, 0, 0])).toEqual([]);
    expect([disk.transferIn(1, new Uint8Array(13)), disk.transferOut(2, new Uint8Array(31))]).toEqual([STALL, STALL]);
    expect(request(disk, [0x21, 0xff, 0, 0, 0, 0, 0, 0])).toEqual([]);
    for (const endpoint of [0x81, 2]) expect(request(disk, [2, 1, 0, 0, endpoint, 0, 0, 0])).toEqual([]);
    expect(read([0, 0, 0, 0, 0, 0], 0).status).toEqual([0, 0]);
  });

  it("turns a failing store into medium errors, and protects a read-only one", () => {
    const { errors, read, sense, store, write } = makeDisk();
    store.fails = true;
    expect(read([0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], 1024)).toEqual({ data: [], status: [1, 1024] });
    expect(sense()).toEqual([3, 0x1100]);
    expect(write([0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0], new Uint8Array(1024))[0]).toBe(1);
    expect(sense()).toEqual([3, 0x0c00]);
    expect(errors.length).toBe(2);
    const protectedDisk = makeDisk(new MemoryStore(BLOCKS * 512, true));
    expect(protectedDisk.write([0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], new Uint8Array(512))).toEqual([1, 512]);
    expect(protectedDisk.sense()).toEqual([7, 0x2700]);
    expect(protectedDisk.read([0x1a, 0, 8, 0, 4, 0], 4).data[2]).toBe(0x80);
  });

  it("waits for a slow store, and drops what it answers after a reset", async () => {
    const { disk, host, send, store, take } = makeDisk();
    store.slow = true;
    send(wrapper(1, 1024, IN, [0x28, 0, 0, 0, 0, 4, 0, 0, 2, 0]));
    expect(disk.transferIn(1, new Uint8Array(1024))).toBe(NAK);
    host.woken.length = 0;
    await store.answer();
    expect(host.woken).toEqual([0x81, 2]);
    expect(take(1024)).toEqual([...store.bytes.subarray(4 * 512, 6 * 512)]);
    take(13);
    send(wrapper(2, 512, IN, [0x28, 0, 0, 0, 0, 4, 0, 0, 1, 0]));
    expect(disk.transferIn(1, new Uint8Array(512))).toBe(NAK);
    disk.busReset();
    configureUsb(disk);
    await store.answer();
    expect(disk.transferIn(1, new Uint8Array(512))).toBe(NAK);
    expect(disk.save().transport.phase).toBe("command");
  });

  it("survives random packets", () => {
    const random = randomSource(3);
    const { disk } = makeDisk();
    for (let i = 0; i < 3000; i++) {
      const bytes = wrapper(random(), random() % 3 === 0 ? random() : random() % 3000, random() & 0x80, [
        random() & 0xff,
        ...Array.from({ length: 15 }, () => (random() % 2 === 0 ? 0 : random() & 0xff)),
      ]);
      if (random() % 16 === 0) bytes[random() % 31] = random() & 0xff;
      disk.transferOut(2, bytes);
      for (let j = random() % 4; j > 0; j--) {
        if (random() % 2 === 0) disk.transferIn(1, new Uint8Array(random() % 5000));
        else disk.transferOut(2, new Uint8Array(random() % 5000));
      }
      if (random() % 8 === 0) {
        disk.busReset();
        configureUsb(disk);
      }
    }
  });
});
