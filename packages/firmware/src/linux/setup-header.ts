// SPDX-License-Identifier: Apache-2.0
import { type BootFile, FileReader, notBootable, truncated } from "../boot-image.js";

// Offsets into a bzImage and, alike, into boot_params (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header").
export const enum Header {
  SetupSectors = 0x1f1,
  SystemSize = 0x1f4,
  BootFlag = 0x1fe,
  Jump = 0x200,
  Signature = 0x202,
  Version = 0x206,
  LoaderType = 0x210,
  LoadFlags = 0x211,
  Code32Start = 0x214,
  RamdiskImage = 0x218,
  RamdiskSize = 0x21c,
  CommandLine = 0x228,
  InitrdAddressMax = 0x22c,
  XLoadFlags = 0x236,
  CommandLineSize = 0x238,
  PayloadOffset = 0x248,
  PayloadLength = 0x24c,
  PreferredAddress = 0x258,
  InitSize = 0x260,
}

const BOOT_FLAG = 0xaa55;
/** "HdrS" */
const SIGNATURE = 0x5372_6448;
const SECTOR = 512;
const LOADED_HIGH = 1;
const XLF_KERNEL_64 = 1;
const DEFAULT_INITRD_MAX = 0x37ff_ffff;
const DEFAULT_COMMAND_LINE_SIZE = 255;

/** What a loader must know about a bzImage. */
export interface SetupHeader {
  /** Protocol version, 0x020c is 2.12. */
  readonly version: number;
  /** File offset and length of the 32/64-bit part. */
  readonly kernelOffset: number;
  readonly kernelLength: number;
  /** Where that part is loaded. */
  readonly loadAddress: number;
  readonly has64BitEntry: boolean;
  /** Highest address that the last byte of the initial RAM disk may have. */
  readonly initrdAddressMax: number;
  /** Bytes that the command line may have, without its terminating zero. */
  readonly commandLineSize: number;
  /** End of the memory that the kernel uses before it looks at the memory map. */
  readonly memoryEnd: number;
  /** The bytes to copy to offset 0x1f1 of boot_params. */
  readonly raw: Uint8Array;
}

/** Whether `bytes` begin with a Linux/x86 setup header. */
export function hasSetupHeader(bytes: Uint8Array): boolean {
  if (bytes.length < Header.Version) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint16(Header.BootFlag, true) === BOOT_FLAG && view.getUint32(Header.Signature, true) === SIGNATURE;
}

/** Reads and checks the setup header. Throws OperatorError if the file is truncated or too old to boot. */
export function readSetupHeader(file: BootFile): SetupHeader {
  const reader = new FileReader(file);
  const version = reader.u16(Header.Version);
  if (version < 0x0202)
    throw notBootable(file, "is a Linux kernel with a boot protocol before 2.02; use a newer kernel");
  if ((reader.u8(Header.LoadFlags) & LOADED_HIGH) === 0)
    throw notBootable(file, "is a zImage, which loads low; build a bzImage");
  const kernelOffset = ((reader.u8(Header.SetupSectors) || 4) + 1) * SECTOR;
  const kernelLength = reader.size - kernelOffset;
  const declaredLength = reader.u32(Header.SystemSize) * 16;
  // The file need not be padded to the paragraph in which its size is given.
  if (kernelLength + 15 < declaredLength) throw truncated(file, "the kernel", kernelOffset + declaredLength);
  if (version >= 0x0208) {
    const payloadEnd = kernelOffset + reader.u32(Header.PayloadOffset) + reader.u32(Header.PayloadLength);
    if (payloadEnd > reader.size) throw truncated(file, "the compressed kernel", payloadEnd);
  }
  const loadAddress = reader.u32(Header.Code32Start);
  const headerEnd = Header.Signature + reader.u8(Header.Jump + 1);
  const start = version >= 0x020a ? Math.max(loadAddress, reader.u64(Header.PreferredAddress)) : loadAddress;
  const initSize = version >= 0x020a ? reader.u32(Header.InitSize) : kernelLength * 4;
  return {
    version,
    kernelOffset,
    kernelLength,
    loadAddress,
    has64BitEntry: version >= 0x020c && (reader.u16(Header.XLoadFlags) & XLF_KERNEL_64) !== 0,
    initrdAddressMax: version >= 0x0203 ? reader.u32(Header.InitrdAddressMax) : DEFAULT_INITRD_MAX,
    commandLineSize: version >= 0x0206 ? reader.u32(Header.CommandLineSize) : DEFAULT_COMMAND_LINE_SIZE,
    memoryEnd: start + Math.max(initSize, kernelLength),
    raw: reader.slice(Header.SetupSectors, headerEnd - Header.SetupSectors, "the setup header"),
  };
}
