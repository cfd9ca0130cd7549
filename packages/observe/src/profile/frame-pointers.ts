// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory, GuestSample } from "@isola/ports";
import { readWord } from "./read-word.js";

/** A frame is not larger than this, nor a stack deeper. */
const MAX_FRAME = 1n << 16n;
const MAX_DEPTH = 128;

/** CALL rel32 is five bytes; CALL through a register or memory is two to seven. */
const LONGEST_CALL = 7;
const CALL_REL32 = 0xe8;
const GROUP_5 = 0xff;

/**
 * Return addresses from the chain of frame pointers: each frame begins with the caller's RBP, and its return address lies
 * above. Code that is compiled without frame pointers uses RBP for other things, so the chain is believed only as long as
 * it leads up the stack and each return address lies behind a CALL. Innermost caller first; empty where there is no chain.
 */
export function frameChain({ bits, rsp, rbp }: GuestSample, memory: GuestMemory): bigint[] {
  if (bits === 16) return [];
  const word = bits / 8;
  const callers: bigint[] = [];
  let above = rsp;
  let frame = rbp;
  while (callers.length < MAX_DEPTH) {
    if (frame % BigInt(word) !== 0n || frame < above || frame - above > MAX_FRAME) break;
    const next = readWord(memory, frame, word);
    const caller = readWord(memory, frame + BigInt(word), word);
    if (next === null || caller === null || !isBehindCall(memory, caller)) break;
    callers.push(caller);
    above = frame + BigInt(2 * word);
    frame = next;
  }
  return callers;
}

/** Whether the instruction in front of `address` may be a CALL. */
function isBehindCall(memory: GuestMemory, address: bigint): boolean {
  for (let length = 2; length <= LONGEST_CALL; length++) {
    const opcode = byteAt(memory, address - BigInt(length));
    if (length === 5 && opcode === CALL_REL32) return true;
    // FF /2; prefixes of the longer forms stand in front of it.
    if (opcode === GROUP_5 && (((byteAt(memory, address - BigInt(length - 1)) ?? 0) >> 3) & 7) === 2) return true;
  }
  return false;
}

function byteAt(memory: GuestMemory, address: bigint): number | null {
  if (address < 0n) return null;
  const value = readWord(memory, address, 1);
  return value === null ? null : Number(value);
}
