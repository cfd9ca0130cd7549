// SPDX-License-Identifier: Apache-2.0
/** Class of the interface of human interface devices (HID 1.11, 4.1). */
export const HID_CLASS = 3;

/** Class requests (HID 1.11, 7.2). */
export const enum HidRequest {
  GetReport = 1,
  GetIdle = 2,
  GetProtocol = 3,
  SetReport = 9,
  SetIdle = 10,
  SetProtocol = 11,
}

export const enum ReportType {
  Input = 1,
  Output = 2,
}

/** Values of SET_PROTOCOL. */
export const BOOT_PROTOCOL = 0;
export const REPORT_PROTOCOL = 1;

/** The endpoint that reports come from. */
export const REPORT_ENDPOINT = 1;
/** Reports that wait to be fetched; what comes when there are so many is merged into the last. */
export const MAX_REPORTS = 32;
/** Unit of idle rates in ns. */
export const IDLE_UNIT = 4e6;
