// SPDX-License-Identifier: Apache-2.0
/** The firmware configuration device of QEMU's PC machines (QEMU documentation, "fw_cfg"), offsets from port 0x510. */
export const FW_CFG_PORT = 0x510;
export const FW_CFG_PORTS = 12;

export const enum Port {
  Selector = 0,
  Data = 1,
  DmaHigh = 4,
  DmaLow = 8,
}

/** Well-known item keys. Numbers in items are little endian unless said otherwise. */
export const FwCfgKey = {
  signature: 0x00,
  features: 0x01,
  uuid: 0x02,
  /** RAM size in bytes, 64 bits. */
  ramSize: 0x03,
  noGraphic: 0x04,
  /** Number of CPUs at boot, 16 bits. */
  cpuCount: 0x05,
  kernelAddress: 0x07,
  kernelSize: 0x08,
  initrdAddress: 0x0a,
  initrdSize: 0x0b,
  bootMenu: 0x0e,
  /** Highest number of CPUs, 16 bits. */
  maxCpus: 0x0f,
  kernelEntry: 0x10,
  kernelData: 0x11,
  initrdData: 0x12,
  commandLineAddress: 0x13,
  commandLineSize: 0x14,
  commandLineData: 0x15,
  setupAddress: 0x16,
  setupSize: 0x17,
  setupData: 0x18,
  fileDirectory: 0x19,
} as const;

export const FIRST_FILE_KEY = 0x20;
/** Bit 14 of a selector once meant "for writing"; it does not take part in the key. */
export const KEY_MASK = 0xbfff;
/** Traditional interface and DMA. */
export const FEATURES = 0x03;
export const FILE_NAME_LENGTH = 56;
export const FILE_ENTRY_SIZE = 64;

/** Control field of the DMA structure, which is big endian: control, length, address. */
export const enum DmaControl {
  Error = 0x01,
  Read = 0x02,
  Skip = 0x04,
  Select = 0x08,
  Write = 0x10,
}

export const DMA_STRUCTURE_SIZE = 16;
/** What the DMA register reads as: "QEMU CFG". */
export const DMA_SIGNATURE_HIGH = 0x5145_4d55;
export const DMA_SIGNATURE_LOW = 0x2043_4647;
