// SPDX-License-Identifier: Apache-2.0
import { ByteWriter } from "../byte-writer.js";
import type { AcpiConfig } from "./config.js";

export const FADT_REVISION = 6;
const MINOR_REVISION = 5;

// ACPI 6.5, table 5.10.
const WBINVD = 1 << 0;
const PROC_C1 = 1 << 2;
/** No sleep button; PWR_BUTTON (bit 4) stays 0: the power button is in the PM1 registers. */
const SLP_BUTTON = 1 << 5;
/** The RTC cannot wake the machine through the PM1 registers. */
const FIX_RTC = 1 << 6;
const TMR_VAL_EXT = 1 << 8;
const RESET_REG_SUP = 1 << 10;

// IA-PC boot architecture flags, table 5.11.
const LEGACY_DEVICES = 1 << 0;
const KEYBOARD_CONTROLLER = 1 << 1;
const VGA_NOT_PRESENT = 1 << 2;

const DESKTOP_PROFILE = 1;
const SERVER_PROFILE = 4;
const C2_UNSUPPORTED = 101;
const C3_UNSUPPORTED = 1001;
const RTC_CENTURY = 0x32;

const enum Access {
  Undefined = 0,
  Byte = 1,
  Word = 2,
  Dword = 3,
}

/** Generic address of I/O ports (5.2.3.2); port 0 means the register block is absent. */
function address(writer: ByteWriter, port: number, bytes: number, access: Access): void {
  if (port === 0) writer.zeros(12);
  else writer.u8(1, bytes * 8, 0, access).u64(port);
}

/** Everything of the FADT behind the common header (5.2.9). */
export function fadtBody({ power, pc }: AcpiConfig, facsAddress: number, dsdt: number): Uint8Array {
  const w = new ByteWriter();
  w.u32(facsAddress)
    .u32(dsdt)
    .u8(0, pc === undefined ? SERVER_PROFILE : DESKTOP_PROFILE)
    .u16(power.sci);
  // SMI_CMD 0: the machine is always in ACPI mode.
  w.u32(0).u8(0, 0, 0, 0);
  w.u32(power.pm1Event).u32(0).u32(power.pm1Control).u32(0).u32(0).u32(power.timer).u32(power.gpe0.port).u32(0);
  w.u8(4, 2, 0, 4, power.gpe0.length, 0, 0, 0);
  w.u16(C2_UNSUPPORTED).u16(C3_UNSUPPORTED).u16(0).u16(0);
  w.u8(0, 0, 0, 0, RTC_CENTURY);
  w.u16(LEGACY_DEVICES | (pc === undefined ? VGA_NOT_PRESENT : KEYBOARD_CONTROLLER)).u8(0);
  w.u32(WBINVD | PROC_C1 | SLP_BUTTON | FIX_RTC | TMR_VAL_EXT | RESET_REG_SUP);
  address(w, power.reset.port, 1, Access.Byte);
  w.u8(power.reset.value).u16(0).u8(MINOR_REVISION);
  w.u64(facsAddress).u64(dsdt);
  address(w, power.pm1Event, 4, Access.Word);
  address(w, 0, 0, Access.Undefined);
  address(w, power.pm1Control, 2, Access.Word);
  address(w, 0, 0, Access.Undefined);
  address(w, 0, 0, Access.Undefined);
  address(w, power.timer, 4, Access.Dword);
  address(w, power.gpe0.port, power.gpe0.length, Access.Byte);
  address(w, 0, 0, Access.Undefined);
  // Sleep registers (only for hardware-reduced machines) and the hypervisor vendor.
  address(w, 0, 0, Access.Undefined);
  address(w, 0, 0, Access.Undefined);
  return w.text("Isola", 8, "\0").finish();
}

const FACS_BYTES = 64;

/** Firmware ACPI control structure (5.2.10): no waking vector, a free global lock. */
export function facs(): Uint8Array {
  return new ByteWriter()
    .text("FACS", 4)
    .u32(FACS_BYTES)
    .zeros(24)
    .u8(2)
    .zeros(FACS_BYTES - 33)
    .finish();
}
