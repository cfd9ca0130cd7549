// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { Loudspeaker } from "./loudspeaker.js";

interface Played {
  readonly start: number;
  readonly rate: number;
  readonly channels: readonly (readonly number[])[];
}

/** What is used of an AudioContext. */
class FakeContext {
  currentTime = 0;
  state = "running";
  readonly destination = {};
  readonly played: Played[] = [];
  readonly gain = { value: 1 };

  createGain() {
    return { gain: this.gain, connect() {} };
  }

  createBuffer(channels: number, frames: number, rate: number) {
    const data = Array.from({ length: channels }, () => new Float32Array(frames));
    return { rate, data, getChannelData: (channel: number) => data[channel] };
  }

  createBufferSource() {
    const source = {
      buffer: this.createBuffer(0, 0, 0),
      connect() {},
      start: (start: number) => {
        const { rate, data } = source.buffer;
        this.played.push({ start, rate, channels: data.map((one) => [...one]) });
      },
    };
    return source;
  }

  async resume() {
    this.state = "running";
  }

  async close() {
    this.state = "closed";
  }
}

let context: FakeContext;
let loudspeaker: Loudspeaker;
beforeEach(() => {
  context = new FakeContext();
  loudspeaker = new Loudspeaker(() => context as unknown as AudioContext);
});

describe("Loudspeaker", () => {
  const format = { rate: 100, channels: 2 };

  it("plays both channels in full scale", () => {
    loudspeaker.play({ format, samples: Int16Array.of(0x4000, -0x8000, 0, 0x2000), time: 7e9 });
    expect(context.played).toEqual([
      {
        start: 0.08,
        rate: 100,
        channels: [
          [0.5, 0],
          [-1, 0.25],
        ],
      },
    ]);
  });

  it("plays what follows when it is due", () => {
    const samples = new Int16Array(20);
    loudspeaker.play({ format, samples, time: 0 });
    loudspeaker.play({ format, samples, time: 100e6 });
    expect(context.played.map(({ start }) => start)).toEqual([0.08, expect.closeTo(0.18, 9)]);
  });

  it("is muted, also before the first sound", () => {
    loudspeaker.muted = true;
    loudspeaker.play({ format, samples: new Int16Array(2), time: 0 });
    expect(context.gain.value).toBe(0);
    loudspeaker.muted = false;
    expect(context.gain.value).toBe(1);
  });

  it("asks again for leave to sound", () => {
    context.state = "suspended";
    loudspeaker.play({ format, samples: new Int16Array(2), time: 0 });
    expect(context.state).toBe("running");
  });

  it("closes its context", () => {
    loudspeaker.play({ format, samples: new Int16Array(2), time: 0 });
    loudspeaker.close();
    expect(context.state).toBe("closed");
  });
});
