// SPDX-License-Identifier: Apache-2.0
// LAR, LSL, VERR, VERW and ARPL: questions about selectors that never fault on a bad one (SDM 2A, 2B, 3A 5.10).
import { CPU_FAULT } from "../generated/layout";
import { VECTOR_GP } from "./bits";
import {
  descriptorAttr,
  descriptorHigh,
  descriptorLimit,
  fetchDescriptor,
  fetchUpperHalf,
  isCode,
  isConforming,
  isReadable,
  isWritableData,
  systemType,
  TYPE_CALL_GATE,
  TYPE_CALL_GATE16,
  TYPE_LDT,
  TYPE_TASK_GATE,
  TYPE_TSS,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS_BUSY,
} from "./descriptor";
import { ATTR_S, attrDpl, currentPrivilege, isLongMode } from "./segment";
import { writeZero } from "./flags";

/** Fetches the descriptor; false also for a null selector and one outside its table, without an exception. */
function fetchQuietly(cpu: usize, selector: u32): bool {
  if ((selector & 0xfffc) == 0) return false;
  if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return true;
  dropProtectionFault(cpu);
  return false;
}

/** Forgets #GP, which only says no; another fault (#PF of the table) stays. True if there was no fault at all. */
function dropProtectionFault(cpu: usize): bool {
  const fault = load<u32>(cpu, CPU_FAULT);
  if (fault == VECTOR_GP + 1) store<u32>(cpu, 0, CPU_FAULT);
  return fault == 0;
}

function isVisible(cpu: usize, selector: u32, attr: u32): bool {
  if (isCode(attr) && isConforming(attr)) return true;
  return attrDpl(attr) >= currentPrivilege(cpu) && attrDpl(attr) >= (selector & 3);
}

/** System descriptor types that LAR, or LSL if `limits`, accepts. */
function isInspectable(cpu: usize, type: u32, limits: bool): bool {
  const long = isLongMode(cpu);
  if (type == TYPE_LDT || type == TYPE_TSS || type == TYPE_TSS_BUSY) return true;
  if (type == TYPE_TSS16 || type == TYPE_TSS16_BUSY) return !long;
  if (limits) return false;
  return type == TYPE_CALL_GATE || (!long && (type == TYPE_CALL_GATE16 || type == TYPE_TASK_GATE));
}

function inspect(cpu: usize, selector: u32, limits: bool): bool {
  if (!fetchQuietly(cpu, selector)) return false;
  const attr = descriptorAttr();
  if ((attr & ATTR_S) == 0) {
    if (!isInspectable(cpu, systemType(attr), limits)) return false;
    if (isLongMode(cpu)) {
      fetchUpperHalf(cpu, selector, VECTOR_GP, 0);
      if (!dropProtectionFault(cpu)) return false;
    }
  }
  return isVisible(cpu, selector, attr);
}

/** LAR: bits 8-23 of the descriptor's upper word if the selector is good (ZF), else 0. */
export function loadAccessRights(cpu: usize, selector: u32): u64 {
  const ok = inspect(cpu, selector & 0xffff, false);
  if (load<u32>(cpu, CPU_FAULT) != 0) return 0;
  writeZero(cpu, ok);
  return ok ? <u64>(descriptorHigh & 0x00f0_ff00) : 0;
}

/** LSL: the limit in bytes if the selector is good (ZF), else 0. */
export function loadSegmentLimit(cpu: usize, selector: u32): u64 {
  const ok = inspect(cpu, selector & 0xffff, true);
  if (load<u32>(cpu, CPU_FAULT) != 0) return 0;
  writeZero(cpu, ok);
  return ok ? <u64>descriptorLimit() : 0;
}

/** VERR, or VERW if `write`: sets ZF if the segment could be read (written) at the current privilege. */
export function verifySegment(cpu: usize, selector: u32, write: u32): void {
  let ok = fetchQuietly(cpu, selector & 0xffff);
  if (load<u32>(cpu, CPU_FAULT) != 0) return;
  if (ok) {
    const attr = descriptorAttr();
    ok = (write != 0 ? isWritableData(attr) : isReadable(attr)) && isVisible(cpu, selector, attr);
  }
  writeZero(cpu, ok);
}
