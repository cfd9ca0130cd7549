// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { VirtioBench } from "../conformance/virtio-driver.js";
import { deviceConformance } from "../conformance/suite.js";
import { VirtioRng } from "./device.js";

deviceConformance("virtio-rng", () => {
  const bench = new VirtioBench(new VirtioRng({ fill: (bytes) => bytes.fill(1) }));
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [() => bench.start()],
  };
});

it("fills writable buffers up to its limit and ignores readable ones", () => {
  const bench = new VirtioBench(new VirtioRng({ fill: (bytes) => bytes.fill(0x5a) })).start();
  const [, buffer] = bench.add(0, [{ data: new Uint8Array(4) }, { room: 10 }]);
  bench.add(0, [{ room: 100_000 }]);
  bench.kick(0);
  expect(bench.bytes(buffer!, 10)).toEqual(Array.from({ length: 10 }, () => 0x5a));
  expect(bench.takeUsed(0)).toEqual([
    [0, 10],
    [2, 65_536],
  ]);
});
