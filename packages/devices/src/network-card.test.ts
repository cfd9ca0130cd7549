// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { GatheredPacket } from "./network-card.js";

const LIMIT = 4;

describe("a packet in pieces", () => {
  it("saves what has come, and nothing behind it", () => {
    const packet = new GatheredPacket(LIMIT);
    expect(packet.save()).toEqual([]);
    packet.bytes.set([1, 2, 3, 4]);
    packet.filled = 2;
    const saved = packet.save();
    expect(saved).toEqual([1, 2]);
    packet.bytes[0] = 9;
    expect(saved).toEqual([1, 2]);
  });

  it("goes on behind what was restored", () => {
    const packet = new GatheredPacket(LIMIT);
    packet.restore([1, 2, 3]);
    expect(packet.filled).toBe(3);
    expect(packet.save()).toEqual([1, 2, 3]);
    packet.restore([]);
    expect(packet.save()).toEqual([]);
  });

  it("takes no more from a snapshot than it can hold", () => {
    const packet = new GatheredPacket(LIMIT);
    packet.restore([1, 2, 3, 4, 5, 6]);
    expect(packet.filled).toBe(LIMIT);
    expect(packet.save()).toEqual([1, 2, 3, 4]);
  });

  it("forgets", () => {
    const packet = new GatheredPacket(LIMIT);
    packet.restore([1, 2]);
    packet.clear();
    expect(packet.filled).toBe(0);
    expect(packet.save()).toEqual([]);
  });
});
