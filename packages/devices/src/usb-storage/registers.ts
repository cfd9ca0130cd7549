// SPDX-License-Identifier: Apache-2.0
/** Interface of mass storage with SCSI commands over bulk-only transport (BOT 1.0, 4.3). */
export const STORAGE_CLASS = 8;
export const SCSI_SUBCLASS = 6;
export const BULK_ONLY = 0x50;
/** The identity that disks of virtual machines have. */
export const VENDOR = 0x46f4;
export const PRODUCT_ID = 0x0001;
export const RELEASE = 0x0100;

/** Endpoint numbers. */
export const BULK_IN = 1;
export const BULK_OUT = 2;

/** Class requests (3.1, 3.2). */
export const enum StorageRequest {
  GetMaxLun = 0xfe,
  Reset = 0xff,
}

/** Command block wrapper (5.1). */
export const CBW_LENGTH = 31;
export const CBW_SIGNATURE = 0x4342_5355;
export const CBW_TO_HOST = 0x80;
/** Command status wrapper (5.2). */
export const CSW_LENGTH = 13;
export const CSW_SIGNATURE = 0x5342_5355;

export const enum CommandStatus {
  Passed = 0,
  Failed = 1,
  PhaseError = 2,
}
