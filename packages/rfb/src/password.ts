// SPDX-License-Identifier: Apache-2.0
// VNC authentication (RFC 6143, 7.2.2): the client encrypts a challenge with the password by DES.
import { desEncrypt } from "./des.js";

export const CHALLENGE_SIZE = 16;
const BLOCK = 8;

/** The bits of each byte in reverse order: so the first implementation made its keys. */
function mirror(byte: number): number {
  let mirrored = 0;
  for (let i = 0; i < 8; i++) if ((byte & (1 << i)) !== 0) mirrored |= 0x80 >> i;
  return mirrored;
}

/** What a client that knows the password answers. Only the first eight bytes of a password count. */
export function expectedResponse(password: Uint8Array, challenge: Uint8Array): Uint8Array {
  const key = Uint8Array.from({ length: BLOCK }, (_, i) => mirror(password[i] ?? 0));
  const blocks = [0, BLOCK].map((at) => desEncrypt(key, challenge.subarray(at, at + BLOCK)));
  return Uint8Array.from(blocks.flatMap((block) => [...block]));
}

/** Compares in a time that does not depend on where the difference is. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
