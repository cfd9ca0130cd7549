// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** Power management of the PIIX4 (Intel 82371AB data sheet, order number 290562, chapter 7). */
export const PIIX4_PM_IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x7113,
  revision: 3,
  classCode: 0x06_8000,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
};

/** Configuration registers beyond the header. */
export const enum Register {
  PmBase = 0x40,
  /** Device activity B; its bit 25 makes writes to the APM control port raise an SMI. */
  DeviceActivityB = 0x58,
  /** Bit 0 switches the power-management block on. */
  PmRegisterMisc = 0x80,
  SmBusBase = 0x90,
  /** Bit 0 switches the SMBus block on. */
  SmBusHostConfig = 0xd2,
}

/** Says to firmware that SMIs have been set up; there is no system-management mode, so it must not try. */
export const APMC_ENABLED = 1 << 25;
export const PM_BASE_MASK = 0xffc0;
export const SMBUS_BASE_MASK = 0xfff0;
export const SMBUS_PORTS = 16;

/** Advanced power management ports (7.3.1): control at 0xB2, status at 0xB3. */
export const APM_PORT = 0xb2;
export const APM_PORTS = 2;

/** SMBus host registers (7.3.2). */
export const enum SmBus {
  HostStatus = 0,
  SlaveStatus = 1,
  HostControl = 2,
}

export const enum SmBusStatus {
  DeviceError = 0x04,
  Clearable = 0x1e,
}

export const SMBUS_START = 0x40;

/** SLP_TYP value of soft off (7.2.3, PMCNTRL), to be named by the `_S5` object of the DSDT. */
export const PIIX4_SOFT_OFF = 0;
