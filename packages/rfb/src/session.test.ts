// SPDX-License-Identifier: Apache-2.0
import { createCipheriv } from "node:crypto";
import { constants, deflateRawSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { bytes16, bytes32 } from "./byte-queue.js";
import { desEncrypt } from "./des.js";
import { RfbSession } from "./session.js";
import { TestViewer } from "./viewer.fixture.js";

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

let picture: Picture | null;
let log: string[];
let backlog = 0;
let sent: number[];
let done: boolean;
beforeEach(() => {
  picture = painted(100, 70, (x, y) => [x, y, x ^ y]);
  log = [];
  backlog = 0;
  sent = [];
  done = false;
});

/** Where the pointer was said to be. */
const places: [x: number, y: number][] = [];

function painted(width: number, height: number, colour: (x: number, y: number) => readonly number[]): Picture {
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixels.set([...colour(x, y), 255], (y * width + x) * 4);
  return { width, height, pixels };
}

const compress = (data: Uint8Array) => new Uint8Array(deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }));

function serve(password: string | null = null): RfbSession {
  return new RfbSession({
    screen: { picture: () => picture },
    input: {
      key: (code, pressed) => void log.push(`${pressed ? "+" : "-"}${code.toString(16)}`),
      mouse: (dx, dy, wheel, buttons, at) => {
        log.push(`mouse ${[dx, dy, wheel, buttons].join(" ")}`);
        places.push([at?.x ?? -1, at?.y ?? -1]);
      },
    },
    entropy: { fill: (bytes) => void bytes.set(bytes.map((_, i) => 17 * i + 3)) },
    compress,
    password: password === null ? null : Uint8Array.from(Buffer.from(password)),
    name: "a machine",
    send: (bytes) => void sent.push(...bytes),
    backlog: () => backlog,
    onDone: () => (done = true),
  });
}

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
/** Takes what was sent. */
function received(): Uint8Array {
  return Uint8Array.from(sent.splice(0));
}

function greeted(): { session: RfbSession; viewer: TestViewer } {
  const session = serve();
  session.receive(ascii("RFB 003.008\n"));
  session.receive(Uint8Array.of(1, 1));
  const greeting = received();
  const init = greeting.subarray(12 + 2 + 4);
  const viewer = new TestViewer((init[0] ?? 0) * 256 + (init[1] ?? 0), (init[2] ?? 0) * 256 + (init[3] ?? 0));
  return { session, viewer };
}

const setEncodings = (...encodings: number[]) =>
  Uint8Array.from([2, 0, ...bytes16(encodings.length), ...encodings.flatMap(bytes32)]);
const requestUpdate = (incremental: boolean, x = 0, y = 0, width = 1000, height = 1000) =>
  Uint8Array.from([3, incremental ? 1 : 0, ...bytes16(x, y, width, height)]);
const setFormat = (...bytes: number[]) => Uint8Array.from([0, 0, 0, 0, ...bytes, 0, 0, 0]);

function rgb({ pixels }: Picture): number[] {
  return Array.from({ length: pixels.length / 4 }, (_, i) => Buffer.from(pixels).readUInt32LE(4 * i) & 0xff_ffff);
}

describe("DES", () => {
  it("is that of the standard", () => {
    const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
    expect(desEncrypt(hex("133457799bbcdff1"), hex("0123456789abcdef"))).toEqual(hex("85e813540f0ab405"));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const [key, block] = [bytes.subarray(0, 8), bytes.subarray(8)];
        // Triple DES with one key three times.
        const triple = createCipheriv("des-ede3", Buffer.concat([key, key, key]), null).setAutoPadding(false);
        expect(desEncrypt(key, block)).toEqual(new Uint8Array(triple.update(block)));
      }),
    );
  });
});

describe("the beginning of a connection", () => {
  it("introduces the screen, in all versions", () => {
    for (const [version, before] of [
      ["003.003", [0, 0, 0, 1]],
      ["003.007", [1, 1]],
      ["003.008", [1, 1, 0, 0, 0, 0]],
      ["003.889", [1, 1, 0, 0, 0, 0]],
    ] as const) {
      const session = serve();
      expect(Buffer.from(received()).toString()).toBe("RFB 003.008\n");
      session.receive(ascii(`RFB ${version}\n`));
      session.receive(Uint8Array.from(version === "003.003" ? [1] : [1, 1]));
      const answer = received();
      expect([...answer.subarray(0, before.length)]).toEqual(before);
      const init = answer.subarray(before.length);
      expect([...init.subarray(0, 4)]).toEqual([0, 100, 0, 70]);
      expect(Buffer.from(init.subarray(24)).toString()).toBe("a machine");
    }
  });

  it("asks for the password", () => {
    const known = (password: string) => {
      const key = Uint8Array.from(Buffer.from(password.padEnd(8, "\0").slice(0, 8)), (byte) =>
        parseInt(byte.toString(2).padStart(8, "0").split("").toReversed().join(""), 2),
      );
      const cipher = createCipheriv("des-ede3", Buffer.concat([key, key, key]), null).setAutoPadding(false);
      return new Uint8Array(cipher.update(Uint8Array.from({ length: 16 }, (_, i) => 17 * i + 3)));
    };
    const session = serve("secret");
    session.receive(ascii("RFB 003.008\n"));
    session.receive(Uint8Array.of(2));
    received();
    session.receive(known("secret"));
    expect([...received()]).toEqual([0, 0, 0, 0]);
    const other = serve("secret");
    other.receive(ascii("RFB 003.008\n"));
    other.receive(Uint8Array.of(2));
    received();
    other.receive(known("guess"));
    expect([...received().subarray(0, 4)]).toEqual([0, 0, 0, 1]);
    expect(done).toBe(true);
    const sly = serve("secret");
    sly.receive(ascii("RFB 003.008\n"));
    sly.receive(Uint8Array.of(1, 1));
    expect([...received().subarray(14, 18)]).toEqual([0, 0, 0, 1]);
  });

  it("leaves who is no viewer", () => {
    serve().receive(ascii("GET / HTTP/1.1\r\n\r\n"));
    expect(done).toBe(true);
  });
});

describe("pictures", () => {
  it.each([
    ["raw", 0],
    ["ZRLE", 16],
  ])("arrive by %s, then what has changed", (_, encoding) => {
    const { session, viewer } = greeted();
    session.receive(setEncodings(encoding));
    session.receive(requestUpdate(false));
    expect(viewer.update(received())).toBe(1);
    expect(viewer.rgb()).toEqual(rgb(picture ?? { width: 0, height: 0, pixels: new Uint8Array() }));
    session.receive(requestUpdate(true));
    session.refresh();
    expect(received()).toHaveLength(0);
    // Two colours, one colour, many colours in different tiles.
    picture = painted(100, 70, (x, y) => (y >= 64 ? [x & 1 ? 255 : 0, 0, 0] : x >= 64 ? [9, 9, 9] : [x, y, x ^ y]));
    session.refresh();
    expect(viewer.update(received())).toBe(2);
    expect(viewer.rgb()).toEqual(rgb(picture));
  });

  it("arrive in the viewer's format of pixels", () => {
    for (const encoding of [0, 16])
      for (const format of [
        [32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0],
        [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8],
        [32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8],
        [16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0],
        [8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6],
      ]) {
        const { session, viewer } = greeted();
        picture = painted(100, 70, (x, y) => [x & 1 ? 255 : 0, y & 1 ? 255 : 0, x & 2 ? 255 : 0]);
        session.receive(setFormat(...format));
        viewer.setFormat(format);
        session.receive(setEncodings(encoding));
        session.receive(requestUpdate(false));
        viewer.update(received());
        expect(viewer.rgb()).toEqual(rgb(picture));
      }
  });

  it("change their size, if the viewer knows how", () => {
    const { session, viewer } = greeted();
    session.receive(setEncodings(16, -223));
    picture = painted(130, 20, (x, y) => [y, x, 0]);
    session.receive(requestUpdate(false));
    expect(viewer.update(received())).toBe(1);
    expect([viewer.width, viewer.height]).toEqual([130, 20]);
    session.receive(requestUpdate(true));
    session.refresh();
    viewer.update(received());
    expect(viewer.rgb()).toEqual(rgb(picture));
    const old = greeted();
    picture = painted(10, 200, () => [1, 2, 3]);
    old.session.receive(requestUpdate(false));
    old.viewer.update(received());
    expect(old.viewer.rgb().filter((value) => value === 0x030201)).toHaveLength(10 * 20);
  });

  it("wait for a viewer that is slow, and are black while the screen is off", () => {
    const { session, viewer } = greeted();
    backlog = 1e6;
    session.receive(requestUpdate(false));
    expect(received()).toHaveLength(0);
    backlog = 0;
    picture = null;
    session.refresh();
    viewer.update(received());
    expect(new Set(viewer.rgb())).toEqual(new Set([0]));
  });
});

describe("input", () => {
  it("is keys and movements", () => {
    const { session } = greeted();
    const key = (symbol: number, down: number) => Uint8Array.from([4, down, 0, 0, ...bytes32(symbol)]);
    for (const symbol of [0x61, 0x41, 0xff0d, 0xff52, 0xffbe, 0xffb7, 0x20ac]) session.receive(key(symbol, 1));
    expect(log.splice(0)).toEqual(["+1e", "+1e", "+1c", "+e048", "+3b", "+47"]);
    session.receive(key(0x61, 0));
    expect(log.splice(0)).toEqual(["-1e"]);
    const pointer = (mask: number, x: number, y: number) => Uint8Array.from([5, mask, ...bytes16(x, y)]);
    for (const [mask, x, y] of [
      [0, 10, 10],
      [5, 15, 8],
      [16, 15, 8],
      [16, 15, 8],
      [0, 15, 8],
    ] as const)
      session.receive(pointer(mask, x, y));
    expect(log.splice(0)).toEqual([
      "mouse 0 0 0 0",
      "mouse 5 -2 0 3",
      "mouse 0 0 1 0",
      "mouse 0 0 0 0",
      "mouse 0 0 0 0",
    ]);
    const { width, height } = picture ?? { width: 0, height: 0 };
    session.receive(pointer(0, 0, 0));
    session.receive(pointer(0, width - 1, height - 1));
    session.receive(pointer(0, 0xffff, Math.floor(height / 2)));
    expect(places.slice(-3).map(([x]) => x)).toEqual([0, 0x7fff, 0x7fff]);
    expect(places.slice(-3, -1).map(([, y]) => y)).toEqual([0, 0x7fff]);
    log.splice(0);
    session.close();
    expect(log.length).toBe(4);
  });

  it("is scan codes from viewers that know them", () => {
    const { session } = greeted();
    session.receive(setEncodings(-258));
    expect([...received().subarray(12)]).toEqual(bytes32(-258));
    for (const code of [0x1e, 0x9d, 0xc6])
      session.receive(Uint8Array.from([255, 0, 0, 1, ...bytes32(0x61), ...bytes32(code)]));
    expect(log).toEqual(["+1e", "+e01d", "+e11d"]);
  });
});

describe("whatever a viewer sends", () => {
  const head = fc.constantFrom(
    [0, 0, 0, 0],
    [2, 0, 0, 1],
    [3, 1],
    [3, 0],
    [4, 1],
    [5, 1],
    [6, 0, 0, 0, 0, 0, 0, 3],
    [255, 0],
  );
  const message = fc
    .tuple(head, fc.uint8Array({ maxLength: 20 }))
    .map(([start, rest]) => Uint8Array.from([...start, ...rest]));

  it("nothing is thrown", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.oneof(message, fc.uint8Array({ maxLength: 30 })), { maxLength: 20 }),
        (hello, all) => {
          sent = [];
          const session = hello ? greeted().session : serve("x");
          for (const bytes of all) {
            session.receive(bytes);
            session.refresh();
          }
          session.close();
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("clipboards are skipped, and left beyond reason", () => {
    const { session } = greeted();
    session.receive(Uint8Array.from([6, 0, 0, 0, ...bytes32(3), 1, 2, 3, 4, 1, 0, 0, ...bytes32(0x61)]));
    expect(log).toEqual(["+1e"]);
    session.receive(Uint8Array.from([6, 0, 0, 0, ...bytes32(0x7fff_ffff)]));
    expect(done).toBe(true);
  });
});

it("parts of one stream are what zlib takes", () => {
  const stream = Buffer.concat([Buffer.from([0x78, 0x9c]), compress(ascii("one ")), compress(ascii("two"))]);
  expect(inflateSync(stream, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe("one two");
});
