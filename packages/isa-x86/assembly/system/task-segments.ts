// SPDX-License-Identifier: Apache-2.0
// The segment registers of a task that has just been switched to (SDM 3A 8.3, table 8-1). The selectors are loaded
// already; a fault here belongs to the new task.
import { CPU_CPL } from "../generated/layout";
import { VECTOR_NP, VECTOR_TS } from "./bits";
import {
  descriptorAttr,
  fetchDescriptor,
  fetchStackSegment,
  isCode,
  isConforming,
  isPresent,
  loadFromDescriptor,
  markAccessed,
  systemType,
  TYPE_LDT,
} from "./descriptor";
import { attrDpl, CS, DS, ES, GS, LDTR, raise, segmentSelector, setRealSegment, SS } from "./segment";
import { fetchDataSegment } from "./segment-load";

function loadLdt(cpu: usize): bool {
  const selector = segmentSelector(cpu, LDTR);
  if ((selector & 0xfffc) == 0) return true;
  if ((selector & 4) != 0) return raise(cpu, VECTOR_TS, selector & 0xfffc);
  if (!fetchDescriptor(cpu, selector, VECTOR_TS, 0)) return false;
  const attr = descriptorAttr();
  if (systemType(attr) != TYPE_LDT || !isPresent(attr)) return raise(cpu, VECTOR_TS, selector & 0xfffc);
  loadFromDescriptor(cpu, LDTR, selector);
  return true;
}

function loadCode(cpu: usize): bool {
  const selector = segmentSelector(cpu, CS);
  const error = selector & 0xfffc;
  const privilege = selector & 3;
  if (error == 0) return raise(cpu, VECTOR_TS, 0);
  if (!fetchDescriptor(cpu, selector, VECTOR_TS, 0)) return false;
  const attr = descriptorAttr();
  const levelOk = isConforming(attr) ? attrDpl(attr) <= privilege : attrDpl(attr) == privilege;
  if (!isCode(attr) || !levelOk) return raise(cpu, VECTOR_TS, error);
  if (!isPresent(attr)) return raise(cpu, VECTOR_NP, error);
  if (!markAccessed(cpu)) return false;
  loadFromDescriptor(cpu, CS, selector);
  return true;
}

function loadStack(cpu: usize, privilege: u32): bool {
  const selector = segmentSelector(cpu, SS);
  if ((selector & 0xfffc) == 0) return raise(cpu, VECTOR_TS, 0);
  if (!fetchStackSegment(cpu, selector, privilege, VECTOR_TS, 0)) return false;
  loadFromDescriptor(cpu, SS, selector);
  return true;
}

function loadData(cpu: usize, segment: u32, privilege: u32): bool {
  const selector = segmentSelector(cpu, segment);
  if ((selector & 0xfffc) == 0) return true;
  if (!fetchDataSegment(cpu, selector, privilege, VECTOR_TS)) return false;
  loadFromDescriptor(cpu, segment, selector);
  return true;
}

/** Loads the hidden parts of LDTR, CS, SS and the data segments; false if one of them is bad. */
export function loadTaskSegments(cpu: usize, virtual8086: bool): bool {
  const privilege: u32 = virtual8086 ? 3 : segmentSelector(cpu, CS) & 3;
  store<u32>(cpu, privilege, CPU_CPL);
  if (virtual8086) {
    for (let segment = ES; segment <= GS; segment++) setRealSegment(cpu, segment, segmentSelector(cpu, segment));
    return loadLdt(cpu);
  }
  if (!loadLdt(cpu) || !loadCode(cpu) || !loadStack(cpu, privilege)) return false;
  if (!loadData(cpu, ES, privilege)) return false;
  for (let segment = DS; segment <= GS; segment++) if (!loadData(cpu, segment, privilege)) return false;
  return true;
}
