// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { VirtioBench } from "../conformance/virtio-driver.js";
import { VirtioGpu } from "./device.js";
import { edidBlock } from "./edid.js";
import { Answer, Command, Queue } from "./registers.js";
import { packPixels, unpackPixels } from "./state.js";

const WIDTH = 1280;
const HEIGHT = 800;
/** Guest memory for images. */
const IMAGES = 0x20_0000;
const BGRX = 2;
const RGBA = 67;

function makeGpu(clock = new FakeClock()) {
  const gpu = new VirtioGpu({ width: WIDTH, height: HEIGHT, timers: clock });
  const bench = new VirtioBench(gpu);
  /** A request with 32-bit fields behind its header; returns the answer's kind and bytes. */
  const ask = (type: number, fields: readonly number[] = [], queue = Queue.Control, flags = 0, fence = 0) => {
    const data = new Uint8Array(24 + fields.length * 4);
    const view = new DataView(data.buffer);
    view.setUint32(0, type, true);
    view.setUint32(4, flags, true);
    view.setUint32(8, fence, true);
    fields.forEach((field, i) => view.setUint32(24 + i * 4, field, true));
    const [, answer] = bench.add(queue, [{ data }, { room: 1100 }]);
    bench.kick(queue);
    const used = bench.takeUsed(queue).at(-1);
    const bytes = bench.bytes(answer!, used?.[1] ?? 0);
    return { kind: (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8), bytes };
  };
  const kind = (type: number, fields: readonly number[] = [], queue = Queue.Control): number =>
    ask(type, fields, queue).kind;
  /** An image of the guest's memory on the screen. */
  const show = (id: number, width: number, height: number, format = BGRX): void => {
    expect(kind(Command.Create2d, [id, format, width, height])).toBe(Answer.NoData);
    expect(kind(Command.AttachBacking, [id, 1, IMAGES, 0, width * height * 4, 0])).toBe(Answer.NoData);
    expect(kind(Command.SetScanout, [0, 0, width, height, 0, id])).toBe(Answer.NoData);
  };
  const send = (id: number, width: number, height: number): void => {
    expect(kind(Command.TransferToHost2d, [0, 0, width, height, 0, 0, id, 0])).toBe(Answer.NoData);
    expect(kind(Command.Flush, [0, 0, width, height, id, 0])).toBe(Answer.NoData);
  };
  return { ask, bench, clock, gpu, kind, send, show };
}

deviceConformance("virtio-gpu", (clock) => {
  const { bench, gpu } = makeGpu(clock);
  const command = (random: () => number): void => {
    const types = [0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106, 0x107, 0x10a, 0x300, 0x301];
    const data = new Uint8Array(56);
    const view = new DataView(data.buffer);
    view.setUint32(0, types[random() % types.length]!, true);
    for (let at = 24; at < 56; at += 4) view.setUint32(at, random() % 4, true);
    if (!gpu.save().resources.length) bench.start();
    if (!bench.device.running) return;
    bench.ram.write(0x30_0000, data);
    bench.writeDesc(0, 0, 0x30_0000, 56, 1, 1);
    bench.writeDesc(0, 1, 0x30_1000, 1100, 2, 0);
    bench.offer(0, 0);
    bench.kick(0);
  };
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [() => bench.start(), command],
  };
});

describe("virtio-gpu", () => {
  it("has one screen, whose monitor has a size", () => {
    const { ask, bench } = makeGpu();
    bench.start([1]);
    const { bytes, kind } = ask(Command.GetDisplayInfo);
    expect([kind, bytes.length]).toEqual([Answer.DisplayInfo, 408]);
    const view = new DataView(Uint8Array.from(bytes).buffer);
    expect([32, 36, 40, 64].map((at) => view.getUint32(at, true))).toEqual([WIDTH, HEIGHT, 1, 0]);
    const edid = ask(Command.GetEdid, [0, 0]);
    expect([edid.kind, edid.bytes.length, edid.bytes[24]]).toEqual([Answer.Edid, 24 + 8 + 1024, 128]);
    expect(edid.bytes.slice(32, 160)).toEqual([...edidBlock(WIDTH, HEIGHT)]);
    expect(ask(Command.GetEdid, [1, 0]).kind).toBe(Answer.InvalidScanout);
  });

  it("has an EDID that adds up", () => {
    const block = edidBlock(1920, 1080);
    expect(block.length).toBe(128);
    expect(block.reduce((sum, byte) => sum + byte, 0) % 256).toBe(0);
    expect([block[56]! | ((block[58]! >> 4) << 8), block[59]! | ((block[61]! >> 4) << 8)]).toEqual([1920, 1080]);
    expect((block[54]! | (block[55]! << 8)) / 100).toBeCloseTo(138.6, 0);
  });

  it("shows what was transferred and flushed", () => {
    const { bench, gpu, send, show } = makeGpu();
    bench.start();
    expect(gpu.picture()).toBeNull();
    show(1, 4, 2);
    for (let i = 0; i < 8; i++) bench.ram.setU32(IMAGES + 4 * i, 0x11_2200 + i);
    send(1, 4, 2);
    const picture = gpu.picture()!;
    expect([picture.width, picture.height]).toEqual([4, 2]);
    expect([...picture.pixels.subarray(0, 8)]).toEqual([0x11, 0x22, 0, 255, 0x11, 0x22, 1, 255]);
    expect(gpu.picture()).toBe(picture);
    send(1, 4, 2);
    expect(gpu.picture()).not.toBe(picture);
  });

  it("transfers parts, from memory in pieces", () => {
    const { bench, gpu, kind } = makeGpu();
    bench.start();
    kind(Command.Create2d, [5, RGBA, 8, 4]);
    // 8 x 4 x 4 bytes in pieces of 40, 8 and 80.
    const entries = [
      [IMAGES, 40],
      [IMAGES + 0x1000, 8],
      [IMAGES + 0x2000, 80],
    ].flatMap(([at, size]) => [at!, 0, size!, 0]);
    kind(Command.AttachBacking, [5, 3, ...entries]);
    const at = (offset: number): number =>
      offset < 40 ? IMAGES + offset : offset < 48 ? IMAGES + 0x1000 + offset - 40 : IMAGES + 0x2000 + offset - 48;
    for (let i = 0; i < 128; i++) bench.ram.setU8(at(i), i);
    kind(Command.SetScanout, [0, 0, 8, 4, 0, 5]);
    expect(kind(Command.TransferToHost2d, [1, 1, 3, 2, 1 * 32 + 4, 0, 5, 0])).toBe(Answer.NoData);
    kind(Command.Flush, [0, 0, 8, 4, 5, 0]);
    const { pixels } = gpu.picture()!;
    const red = (x: number, y: number): number => pixels[(y * 8 + x) * 4]!;
    expect([red(0, 1), red(1, 1), red(3, 1), red(4, 1), red(1, 2), red(3, 2)]).toEqual([0, 36, 44, 0, 68, 76]);
  });

  it("draws a cursor", () => {
    const { bench, gpu, kind, show } = makeGpu();
    bench.start();
    show(1, 128, 128);
    kind(Command.Create2d, [2, 1, 64, 64]);
    kind(Command.AttachBacking, [2, 1, IMAGES, 0, 64 * 64 * 4, 0]);
    bench.ram.setU32(IMAGES, 0xff00_00ff);
    bench.ram.setU32(IMAGES + 4, 0x8080_0000);
    kind(Command.TransferToHost2d, [0, 0, 64, 64, 0, 0, 2, 0]);
    kind(Command.UpdateCursor, [0, 10, 20, 0, 2, 3, 4, 0], Queue.Cursor);
    const at = (x: number, y: number): number[] => [
      ...gpu.picture()!.pixels.subarray((y * 128 + x) * 4, (y * 128 + x) * 4 + 3),
    ];
    expect([at(7, 16), at(8, 16), at(9, 16)]).toEqual([
      [0, 0, 255],
      [128, 0, 0],
      [0, 0, 0],
    ]);
    kind(Command.MoveCursor, [0, 0xffff_fff0, 5, 0, 0, 0, 0, 0], Queue.Cursor);
    expect(at(8, 16)).toEqual([0, 0, 0]);
    kind(Command.UpdateCursor, [0, 10, 20, 0, 0, 0, 0, 0], Queue.Cursor);
    expect(at(7, 16)).toEqual([0, 0, 0]);
  });

  it("refuses what makes no sense", () => {
    const { bench, kind } = makeGpu();
    bench.start();
    expect(kind(Command.Create2d, [0, BGRX, 4, 4])).toBe(Answer.InvalidResource);
    expect(kind(Command.Create2d, [1, 99, 4, 4])).toBe(Answer.InvalidParameter);
    expect(kind(Command.Create2d, [1, BGRX, 0, 4])).toBe(Answer.InvalidParameter);
    expect(kind(Command.Create2d, [1, BGRX, 0xffff_ffff, 0xffff_ffff])).toBe(Answer.InvalidParameter);
    expect(kind(Command.Create2d, [1, BGRX, 8192, 8192])).toBe(Answer.OutOfMemory);
    expect(kind(Command.Create2d, [1, BGRX, 16, 16])).toBe(Answer.NoData);
    expect(kind(Command.Create2d, [1, BGRX, 16, 16])).toBe(Answer.InvalidResource);
    expect(kind(Command.TransferToHost2d, [0, 0, 16, 16, 0, 0, 1, 0])).toBe(Answer.InvalidResource);
    expect(kind(Command.AttachBacking, [1, 1, 0x9000_0000, 0, 4096, 0])).toBe(Answer.InvalidParameter);
    expect(kind(Command.AttachBacking, [1, 1_000_000])).toBe(Answer.InvalidParameter);
    expect(kind(Command.AttachBacking, [1, 2, IMAGES, 0, 4096, 0])).toBe(Answer.InvalidParameter);
    expect(kind(Command.AttachBacking, [1, 1, IMAGES, 0, 100, 0])).toBe(Answer.NoData);
    expect(kind(Command.TransferToHost2d, [1, 0, 16, 16, 0, 0, 1, 0])).toBe(Answer.InvalidParameter);
    expect(kind(Command.TransferToHost2d, [0, 0, 16, 16, 0xffff_ffff, 0xffff_ffff, 1, 0])).toBe(Answer.NoData);
    expect(kind(Command.TransferToHost2d, [0, 0, 16, 16, 0, 0, 1, 0])).toBe(Answer.NoData);
    expect(kind(Command.SetScanout, [0, 0, 17, 16, 0, 1])).toBe(Answer.InvalidParameter);
    expect(kind(Command.SetScanout, [0, 0, 16, 16, 1, 1])).toBe(Answer.InvalidScanout);
    expect(kind(Command.SetScanout, [0, 0, 16, 16, 0, 7])).toBe(Answer.InvalidResource);
    expect(kind(Command.Flush, [0, 0, 16, 16, 7, 0])).toBe(Answer.InvalidResource);
    expect(kind(Command.UpdateCursor, [0, 0, 0, 0, 1, 0, 0, 0], Queue.Cursor)).toBe(Answer.InvalidResource);
    expect(kind(0x0200)).toBe(Answer.Unspecified);
    expect(kind(Command.Unref, [1])).toBe(Answer.NoData);
    expect(kind(Command.Unref, [1])).toBe(Answer.InvalidResource);
  });

  it("answers fences", () => {
    const { ask, bench } = makeGpu();
    bench.start();
    const { bytes } = ask(Command.GetDisplayInfo, [], Queue.Control, 1, 0x1234_5678);
    expect(bytes.slice(4, 12)).toEqual([1, 0, 0, 0, 0x78, 0x56, 0x34, 0x12]);
  });

  it("has no more pixels, images or pieces of memory than it may", () => {
    const { bench, kind } = makeGpu();
    bench.start();
    let made = 0;
    while (made < 40 && kind(Command.Create2d, [made + 1, BGRX, 2048, 1024]) === Answer.NoData) made++;
    expect(made).toBe(16);
  });

  it("takes a rest after much work", () => {
    const { bench, clock, kind } = makeGpu();
    bench.start([], 64);
    kind(Command.Create2d, [1, BGRX, 2048, 2048]);
    kind(Command.AttachBacking, [1, 1, IMAGES, 0, 4096, 0]);
    bench.takeUsed(Queue.Control);
    const data = new Uint8Array(56);
    const view = new DataView(data.buffer);
    [Command.TransferToHost2d, 0, 0, 0, 0, 0, 0, 0, 2048, 2048, 0, 0, 1].forEach((v, i) =>
      view.setUint32(i * 4, v, true),
    );
    for (let i = 0; i < 8; i++) bench.add(Queue.Control, [{ data }, { room: 24 }]);
    bench.kick(Queue.Control);
    expect(bench.takeUsed(Queue.Control).length).toBe(2);
    clock.advance(1e6);
    expect(bench.takeUsed(Queue.Control).length).toBe(6);
  });

  it("packs pixels", () => {
    const bytes = Uint8Array.from({ length: 4096 }, (_, i) => (i < 2000 ? 7 : i >> 5));
    const text = packPixels(bytes);
    const copy = new Uint8Array(bytes.length);
    unpackPixels(text, copy);
    expect(copy).toEqual(bytes);
    unpackPixels(`${text} 1:zzzzzzzz x:y`, copy);
    expect(copy).toEqual(bytes);
  });

  it("shows the same after a restore", () => {
    const { bench, gpu, send, show } = makeGpu();
    bench.start();
    show(1, 16, 16);
    for (let i = 0; i < 256; i++) bench.ram.setU32(IMAGES + 4 * i, i * 0x10203);
    send(1, 16, 16);
    const before = gpu.picture()!;
    const twin = makeGpu();
    twin.bench.device.restore(JSON.parse(JSON.stringify(bench.device.save())) as ReturnType<typeof bench.device.save>);
    expect(twin.gpu.picture()).toEqual(before);
  });

  it("survives random requests", () => {
    const random = randomSource(21);
    for (let round = 0; round < 20; round++) {
      const { bench, gpu, kind } = makeGpu();
      bench.start();
      for (let i = 0; i < 100; i++) {
        const fields = Array.from({ length: 8 }, () => (random() % 6 === 0 ? random() : random() % 5));
        const type = [0x101, 0x102, 0x103, 0x104, 0x105, 0x106, 0x300][random() % 7]!;
        if (type === 0x101) fields.splice(0, 4, 1 + (random() % 4), BGRX, 1 + (random() % 70), 1 + (random() % 70));
        if (type === 0x106) fields.splice(0, 6, 1 + (random() % 4), 1, IMAGES, 0, random() % 5000, 0);
        kind(type, fields, type === 0x300 ? Queue.Cursor : Queue.Control);
        gpu.picture();
      }
    }
  });
});
