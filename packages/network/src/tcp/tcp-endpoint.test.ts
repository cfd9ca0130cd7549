// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type Faults, NO_FAULTS, Pair, pattern, randomNumbers } from "./pair.fixture.js";
import { TcpFlag } from "./segment.js";

/** Sends both ways, ends both ways, and returns the pair when all is over. */
function exchange(seed: number, faults: Faults, up: number, down: number, aggregate = 1): Pair {
  const random = randomNumbers(seed);
  const pair = new Pair(random, faults);
  pair.aggregate = aggregate;
  const { client, server } = pair;
  const [there, back] = [pattern(up, 1), pattern(down, 2)];
  let [written, answered] = [0, 0];
  const ended = pair.run(200_000, () => {
    if (client.isUp && written < up) {
      const step = Math.min(up - written, 1 + Math.floor(random() * 9000));
      client.endpoint?.write(there.subarray(written, written + step));
      written += step;
      if (written === up) client.endpoint?.end();
    }
    if (server.isUp && answered < down) {
      const step = Math.min(down - answered, 1 + Math.floor(random() * 9000));
      server.endpoint?.write(back.subarray(answered, answered + step));
      answered += step;
    }
    if (server.hasEnded && answered === down) server.endpoint?.end();
    return client.reason !== undefined && server.reason !== undefined;
  });
  expect(ended).toBe(true);
  expect([client.reason, server.reason]).toEqual([null, null]);
  expect(Uint8Array.from(server.received)).toEqual(there);
  expect(Uint8Array.from(client.received)).toEqual(back);
  return pair;
}

function connected(faults = NO_FAULTS): Pair {
  const pair = new Pair(randomNumbers(1), faults);
  expect(pair.run(100, () => pair.client.isUp && pair.server.isUp)).toBe(true);
  return pair;
}

describe("TCP endpoint", () => {
  it("carries bytes both ways and ends in order", () => {
    const pair = exchange(1, NO_FAULTS, 100_000, 50_000);
    // No more than data, an answer to each, and the two ends.
    expect(pair.sent).toBeLessThan(300);
  });

  it("carries bytes in large segments", () => {
    expect(exchange(2, NO_FAULTS, 300_000, 300_000, 44).sent).toBeLessThan(400);
  });

  it.each(Array.from({ length: 30 }, (_, i) => i + 1))("survives loss, doubles and disorder (seed %i)", (seed) => {
    const random = randomNumbers(seed * 77);
    const faults = { loss: random() * 0.2, duplication: random() * 0.3, reordering: random() * 0.5 };
    exchange(seed, faults, Math.floor(random() * 60_000), Math.floor(random() * 60_000), seed % 3 === 0 ? 8 : 1);
  });

  it("ends without data, and when the other side ends first", () => {
    exchange(3, NO_FAULTS, 1, 0);
    exchange(4, { loss: 0.1, duplication: 0.3, reordering: 0.3 }, 1, 40_000);
  });

  it("sends on after the peer has ended", () => {
    const pair = connected();
    pair.server.endpoint?.end();
    pair.run(50);
    expect(pair.client.hasEnded).toBe(true);
    pair.client.endpoint?.write(pattern(5000));
    pair.run(50);
    expect(pair.server.received.length).toBe(5000);
    pair.client.endpoint?.end();
    expect(pair.run(5000, () => pair.client.reason === null && pair.server.reason === null)).toBe(true);
  });

  it("keeps inside the window of a peer that takes nothing, and goes on when it does", () => {
    const pair = connected();
    const { client, server } = pair;
    server.roomLeft = 0;
    client.endpoint?.write(pattern(3_000_000));
    pair.run(3000);
    const before = server.received.length;
    expect(before).toBeLessThanOrEqual((1 << 20) + 10);
    expect(client.reason).toBeUndefined();
    pair.time += 3600e9;
    pair.run(20);
    server.roomLeft = 1 << 20;
    server.endpoint?.roomGrew();
    expect(pair.run(20_000, () => server.received.length === 3_000_000)).toBe(true);
  });

  it("finds an opened window although the word of it was lost", () => {
    const pair = connected();
    const { client, server } = pair;
    server.roomLeft = 0;
    client.endpoint?.write(pattern(2_000_000));
    pair.run(3000);
    server.roomLeft = 1 << 20;
    expect(pair.run(20_000, () => server.received.length === 2_000_000)).toBe(true);
  });

  it("waits while the cable is full, and sends when it is not", () => {
    const pair = connected();
    pair.full = true;
    pair.client.endpoint?.write(pattern(10_000));
    pair.client.endpoint?.end();
    pair.run(3);
    pair.full = false;
    pair.client.endpoint?.output();
    expect(pair.run(100, () => pair.server.hasEnded)).toBe(true);
    expect(pair.server.received.length).toBe(10_000);
  });

  it("gives up on a peer that is gone", () => {
    const pair = connected();
    pair.faults = { ...NO_FAULTS, loss: 1 };
    pair.client.endpoint?.write(pattern(10));
    expect(pair.run(5000, () => pair.client.reason === "timeout")).toBe(true);
    expect(pair.time).toBeGreaterThan(60e9);
    const unanswered = new Pair(randomNumbers(1), { ...NO_FAULTS, loss: 1 });
    expect(unanswered.run(5000, () => unanswered.client.reason === "timeout")).toBe(true);
  });

  it("finds a silent peer gone", () => {
    const pair = connected();
    pair.run(3000);
    expect(pair.client.reason).toBeUndefined();
    pair.faults = { ...NO_FAULTS, loss: 1 };
    expect(pair.run(5000, () => pair.client.reason === "timeout")).toBe(true);
  });

  it("takes only a reset that stands exactly where it is expected", () => {
    const pair = connected();
    const { client, server } = pair;
    const next = (0xffff_fff0 + 1) >>> 0;
    pair.forge(client, { flags: TcpFlag.Rst, seq: (next + 5) >>> 0 });
    pair.forge(client, { flags: TcpFlag.Rst, seq: (next - 5) >>> 0 });
    expect(client.reason).toBeUndefined();
    pair.forge(client, { flags: TcpFlag.Rst, seq: next });
    expect(client.reason).toBe("reset");
    server.endpoint?.abort();
    expect(server.reason).toBeUndefined();
    expect(server.endpoint?.deadline).toBe(Infinity);
  });

  it("holds and delivers nothing wrong, whatever comes", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomNumbers(seed);
      const pair = connected();
      const base = 0xffff_fff1;
      for (let i = 0; i < 400 && pair.client.reason === undefined; i++) {
        const near = () => (base + Math.floor((random() - 0.3) * 2 ** (1 + Math.floor(random() * 31)))) >>> 0;
        pair.forge(pair.client, {
          seq: near(),
          ack: near(),
          flags: Math.floor(random() * 64),
          window: Math.floor(random() * 0x1_0000),
          payload: pattern(Math.floor(random() * 1500)),
        });
        if (random() < 0.2) pair.client.endpoint?.write(pattern(Math.floor(random() * 5000)));
        pair.time += random() * 1e8;
        pair.client.endpoint?.tick(pair.time);
        pair.client.endpoint?.output();
      }
      expect(pair.client.received.length).toBeLessThan(400 * 1500);
    }
  });
});
