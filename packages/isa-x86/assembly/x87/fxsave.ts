// SPDX-License-Identifier: Apache-2.0
// FXSAVE and FXRSTOR images (SDM vol. 1, 10.5.1, table 10-2), which are also the legacy region of XSAVE.
import {
  CPU_FAULT, CPU_FAULT_ERROR, CPU_FCW, CPU_FPR, CPU_FP_CS, CPU_FP_DP, CPU_FP_DS, CPU_FP_IP, CPU_FP_OPCODE, CPU_FP_TAG,
  CPU_FP_TOP, CPU_MXCSR, CPU_SCRATCH, CPU_VEC,
} from "../generated/layout";
import { x87SetControlWord, x87SetStatusWord, x87StatusWord } from "./control";

/** The writable bits of MXCSR; zero would stand for 0xffbf, a processor without DAZ. */
export const MXCSR_MASK: u32 = 0xffff;
const GENERAL_PROTECTION: u32 = 1 + 13;

/** The x87 part of an image: bytes 0-23 and 32-159 at CPU_SCRATCH. long: REX.W, 64-bit pointers. */
export function x87StoreLegacyArea(cpu: usize, long: bool): void {
  const at = cpu + CPU_SCRATCH;
  store<u16>(at, load<u16>(cpu + CPU_FCW));
  store<u16>(at, u16(x87StatusWord(cpu)), 2);
  store<u16>(at, load<u8>(cpu + CPU_FP_TAG), 4);
  store<u16>(at, load<u16>(cpu + CPU_FP_OPCODE) & 0x7ff, 6);
  if (long) {
    store<u64>(at, load<u64>(cpu + CPU_FP_IP), 8);
    store<u64>(at, load<u64>(cpu + CPU_FP_DP), 16);
  } else {
    store<u64>(at, u64(load<u32>(cpu + CPU_FP_IP)) | (u64(load<u16>(cpu + CPU_FP_CS)) << 32), 8);
    store<u64>(at, u64(load<u32>(cpu + CPU_FP_DP)) | (u64(load<u16>(cpu + CPU_FP_DS)) << 32), 16);
  }
  const top = load<u32>(cpu + CPU_FP_TOP);
  for (let i: u32 = 0; i < 8; i++) {
    const from = cpu + CPU_FPR + (usize((top + i) & 7) << 4);
    const to = at + 32 + (usize(i) << 4);
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u16>(from, 8), 8);
  }
}

/** Loads what x87StoreLegacyArea stores. */
export function x87LoadLegacyArea(cpu: usize, long: bool): void {
  const at = cpu + CPU_SCRATCH;
  x87SetControlWord(cpu, load<u16>(at));
  x87SetStatusWord(cpu, load<u16>(at, 2));
  store<u8>(cpu + CPU_FP_TAG, load<u8>(at, 4));
  store<u16>(cpu + CPU_FP_OPCODE, load<u16>(at, 6) & 0x7ff);
  if (long) {
    store<u64>(cpu + CPU_FP_IP, load<u64>(at, 8));
    store<u64>(cpu + CPU_FP_DP, load<u64>(at, 16));
    store<u16>(cpu + CPU_FP_CS, 0);
    store<u16>(cpu + CPU_FP_DS, 0);
  } else {
    store<u64>(cpu + CPU_FP_IP, load<u32>(at, 8));
    store<u64>(cpu + CPU_FP_DP, load<u32>(at, 16));
    store<u16>(cpu + CPU_FP_CS, load<u16>(at, 12));
    store<u16>(cpu + CPU_FP_DS, load<u16>(at, 20));
  }
  const top = load<u32>(cpu + CPU_FP_TOP);
  for (let i: u32 = 0; i < 8; i++) {
    const to = cpu + CPU_FPR + (usize((top + i) & 7) << 4);
    const from = at + 32 + (usize(i) << 4);
    store<u64>(to, load<u64>(from));
    store<u16>(to, load<u16>(from, 8), 8);
  }
}

/** Bytes of an image that FXSAVE writes. wide: 64-bit mode. */
export function x87FxSaveSize(wide: bool): u32 {
  return wide ? 416 : 288;
}

/** FXSAVE: x87FxSaveSize(wide) bytes at CPU_SCRATCH. */
export function x87FxSave(cpu: usize, long: bool, wide: bool): void {
  const at = cpu + CPU_SCRATCH;
  x87StoreLegacyArea(cpu, long);
  store<u32>(at, load<u32>(cpu + CPU_MXCSR), 24);
  store<u32>(at, MXCSR_MASK, 28);
  const count: usize = wide ? 16 : 8;
  for (let i: usize = 0; i < count; i++) v128.store(at + 160 + i * 16, v128.load(cpu + CPU_VEC + i * 64));
}

/** FXRSTOR: the image at CPU_SCRATCH. 0 and #GP(0) for reserved bits of MXCSR, with nothing changed. */
export function x87FxRestore(cpu: usize, long: bool, wide: bool): u32 {
  const at = cpu + CPU_SCRATCH;
  const mxcsr = load<u32>(at, 24);
  if ((mxcsr & ~MXCSR_MASK) != 0) {
    store<u32>(cpu + CPU_FAULT, GENERAL_PROTECTION);
    store<u32>(cpu + CPU_FAULT_ERROR, 0);
    return 0;
  }
  x87LoadLegacyArea(cpu, long);
  store<u32>(cpu + CPU_MXCSR, mxcsr);
  const count: usize = wide ? 16 : 8;
  for (let i: usize = 0; i < count; i++) v128.store(cpu + CPU_VEC + i * 64, v128.load(at + 160 + i * 16));
  return 1;
}
