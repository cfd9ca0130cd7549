// SPDX-License-Identifier: Apache-2.0
// INVPCID (SDM 2A, 3A 4.10.4.1).
import { CPU_CR4 } from "../generated/layout";
import { flushAddressSpaces, flushPcid, flushTlb } from "../address-space";
import { readGuest } from "../memory";
import { invalidatePage } from "../tlb";
import { CR4_PCIDE, VECTOR_GP } from "./bits";
import { faulted, isCanonical, raise } from "./segment";

const PAGE_OF_PCID: u64 = 0;
const ONE_PCID: u64 = 1;
const EVERYTHING: u64 = 2;
const ALL_BUT_GLOBAL: u64 = 3;

/** INVPCID in ring 0; `descriptor` is the linear address of the 128-bit descriptor: PCID, then linear address. */
export function invalidateByPcid(cpu: usize, rec: usize, type: u64, descriptor: u64): void {
  const low = readGuest(cpu, rec, descriptor, 8);
  if (faulted(cpu)) return;
  const linear = readGuest(cpu, rec, descriptor + 8, 8);
  if (faulted(cpu)) return;
  const pcid = <u32>low & 0xfff;
  const badPcid = (load<u64>(cpu, CPU_CR4) & CR4_PCIDE) == 0 && pcid != 0;
  if (type > ALL_BUT_GLOBAL || low >> 12 != 0) raise(cpu, VECTOR_GP, 0);
  else if (type == PAGE_OF_PCID) {
    if (badPcid || !isCanonical(linear)) raise(cpu, VECTOR_GP, 0);
    else invalidatePage(cpu, linear);
  } else if (type == ONE_PCID) {
    if (badPcid) raise(cpu, VECTOR_GP, 0);
    else flushPcid(cpu, pcid);
  } else if (type == EVERYTHING) flushTlb(cpu);
  else flushAddressSpaces(cpu);
}
