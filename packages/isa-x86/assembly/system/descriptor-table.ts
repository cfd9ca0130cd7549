// SPDX-License-Identifier: Apache-2.0
// GDTR, IDTR, LDTR and TR (SDM 3A 2.4).
import { CPU_GDTR_BASE, CPU_GDTR_LIMIT, CPU_IDTR_BASE, CPU_IDTR_LIMIT } from "../generated/layout";
import { VECTOR_GP, VECTOR_NP, VECTOR_UD } from "./bits";
import {
  descriptorAddress,
  descriptorAttr,
  descriptorBase,
  descriptorHigh,
  descriptorLimit,
  fetchDescriptor,
  fetchUpperHalf,
  isPresent,
  systemType,
  TYPE_LDT,
  TYPE_TSS,
  TYPE_TSS16,
  writeAccessByte,
} from "./descriptor";
import {
  ATTR_UNUSABLE,
  currentPrivilege,
  faulted,
  isCanonical,
  isLongMode,
  LDTR,
  raise,
  setSegment,
  TR,
  usesDescriptors,
} from "./segment";

/** Loads GDTR (`idt` = 0) or IDTR from values read from memory; #GP(0) for a bad base. */
export function loadDescriptorTable(cpu: usize, idt: u32, limit: u32, base: u64): void {
  if (!isCanonical(base)) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  store<u64>(cpu + (idt != 0 ? CPU_IDTR_BASE : CPU_GDTR_BASE), base);
  store<u32>(cpu + (idt != 0 ? CPU_IDTR_LIMIT : CPU_GDTR_LIMIT), limit & 0xffff);
}

/** #GP(0) outside ring 0: LGDT, LIDT, INVLPG and the like. */
export function requirePrivilege(cpu: usize): void {
  if (currentPrivilege(cpu) != 0) raise(cpu, VECTOR_GP, 0);
}

/** #UD in real and virtual-8086 mode: LLDT, LAR and the like. */
export function requireDescriptors(cpu: usize): void {
  if (!usesDescriptors(cpu)) raise(cpu, VECTOR_UD, 0);
}

/** LLDT (SDM 2A); mode and privilege were checked. */
export function loadLocalTable(cpu: usize, value: u32): void {
  const selector = value & 0xffff;
  if ((selector & 0xfffc) == 0) {
    setSegment(cpu, LDTR, selector, 0, 0, ATTR_UNUSABLE);
    return;
  }
  if ((selector & 4) != 0) {
    raise(cpu, VECTOR_GP, selector & 0xfffc);
    return;
  }
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  if (systemType(descriptorAttr()) != TYPE_LDT) {
    raise(cpu, VECTOR_GP, selector & 0xfffc);
    return;
  }
  loadSystemSegment(cpu, LDTR, selector, 0);
}

/** LTR (SDM 2A); mode and privilege were checked. Marks the TSS busy. */
export function loadTaskRegister(cpu: usize, value: u32): void {
  const selector = value & 0xffff;
  if ((selector & 0xfffc) == 0 || (selector & 4) != 0) {
    raise(cpu, VECTOR_GP, selector & 0xfffc);
    return;
  }
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  const type = systemType(descriptorAttr());
  if (type != TYPE_TSS && (type != TYPE_TSS16 || isLongMode(cpu))) {
    raise(cpu, VECTOR_GP, selector & 0xfffc);
    return;
  }
  loadSystemSegment(cpu, TR, selector, 2);
}

/** Loads LDTR or TR from the descriptor fetched last, setting the bits `busy` in its access byte. */
function loadSystemSegment(cpu: usize, segment: u32, selector: u32, busy: u32): void {
  if (!isPresent(descriptorAttr())) {
    raise(cpu, VECTOR_NP, selector & 0xfffc);
    return;
  }
  const attr = descriptorAttr() | busy;
  let base = descriptorBase();
  if (isLongMode(cpu)) {
    base |= fetchUpperHalf(cpu, selector, VECTOR_GP, 0);
    if (faulted(cpu)) return;
    if (!isCanonical(base)) {
      raise(cpu, VECTOR_GP, selector & 0xfffc);
      return;
    }
  }
  if (busy != 0 && !writeAccessByte(cpu, descriptorAddress, ((descriptorHigh >> 8) & 0xff) | busy)) return;
  setSegment(cpu, segment, selector, base, descriptorLimit(), attr);
}
