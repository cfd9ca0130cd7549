// SPDX-License-Identifier: Apache-2.0

/** Reproducible random numbers (xorshift32). */
export class RandomNumbers {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  }

  /** 0 .. limit - 1 */
  below(limit: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % limit;
  }

  randomize(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.below(256);
  }
}

/** First bytes of instructions that do more than compute: system state, far transfers, ports, strings, x87, SSE. */
const INTERESTING: readonly (readonly number[])[] = [
  [0x0f, 0x00],
  [0x0f, 0x01],
  [0x0f, 0x02],
  [0x0f, 0x03],
  [0x0f, 0x05],
  [0x0f, 0x06],
  [0x0f, 0x07],
  [0x0f, 0x20],
  [0x0f, 0x21],
  [0x0f, 0x22],
  [0x0f, 0x23],
  [0x0f, 0x30],
  [0x0f, 0x32],
  [0x0f, 0x34],
  [0x0f, 0x35],
  [0x0f, 0x38],
  [0x0f, 0x3a],
  [0x0f, 0xa2],
  [0x0f, 0xae],
  [0x0f, 0xb2],
  [0x0f, 0xba],
  [0x0f, 0xc7],
  [0x07],
  [0x17],
  [0x62],
  [0x8e],
  [0x8f],
  [0x9a],
  [0x9d],
  [0xa4],
  [0xab],
  [0xc4],
  [0xc8],
  [0xc9],
  [0xca],
  [0xcb],
  [0xcc],
  [0xcd],
  [0xcf],
  [0xd9],
  [0xdb],
  [0xdd],
  [0xdf],
  [0xe8],
  [0xea],
  [0xec],
  [0xef],
  [0xf4],
  [0xfb],
  [0xff],
];
const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x26, 0x64, 0x65, 0x48, 0x4f, 0x41];

/** Random bytes, about half of them the beginnings of interesting instructions. */
export function randomProgram(random: RandomNumbers, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.randomize(bytes);
  for (let at = 0; at + 12 < length; at += 2 + random.below(9)) {
    if (random.below(3) === 0) bytes[at++] = PREFIXES[random.below(PREFIXES.length)];
    if (random.below(2) === 0) bytes.set(INTERESTING[random.below(INTERESTING.length)], at);
  }
  return bytes;
}
