// SPDX-License-Identifier: Apache-2.0
import type { DebugMachine } from "@isola/ports";
import { BAD_ADDRESS, BAD_REQUEST, OK } from "./answer.js";
import { bytesOfHex, bytesOfText, hexOf, parseHex, parseSmallHex, textOfBytes } from "./hex.js";
import { MAX_PACKET } from "./packet.js";

/** A longer answer would not fit a packet; GDB asks again for the rest. */
const MAX_READ = (MAX_PACKET >> 1) - 16;

interface Range {
  readonly address: bigint;
  readonly length: number;
}

function parseRange(text: string): Range | null {
  const [start = "", count = "", ...more] = text.split(",");
  const address = parseHex(start);
  const length = parseSmallHex(count);
  return address === null || length === null || more.length > 0 ? null : { address, length };
}

/** Packets `m`, `M`, `x` and `X`. */
export class MemoryPackets {
  /** Addresses are physical ones: Qqemu.PhyMemMode, as QEMU has it. */
  physical = false;

  constructor(private readonly machine: DebugMachine) {}

  /** `maddress,length`: digits. */
  read(vcpu: number, text: string): string {
    const bytes = this.fetch(vcpu, text);
    return typeof bytes === "string" ? bytes : hexOf(bytes);
  }

  /** `xaddress,length`: `b` and the bytes themselves. */
  readBinary(vcpu: number, text: string): string {
    const bytes = this.fetch(vcpu, text);
    return typeof bytes === "string" ? bytes : `b${textOfBytes(bytes)}`;
  }

  /** `Maddress,length:digits`. */
  write(vcpu: number, text: string): string {
    return this.store(vcpu, text, bytesOfHex);
  }

  /** `Xaddress,length:bytes`. */
  writeBinary(vcpu: number, text: string): string {
    return this.store(vcpu, text, bytesOfText);
  }

  private fetch(vcpu: number, text: string): Uint8Array | string {
    const range = parseRange(text);
    if (range === null) return BAD_REQUEST;
    const length = Math.min(range.length, MAX_READ);
    const bytes = this.physical
      ? this.machine.readPhysical(range.address, length)
      : this.machine.readMemory(vcpu, range.address, length);
    return bytes.length === 0 && length > 0 ? BAD_ADDRESS : bytes;
  }

  private store(vcpu: number, text: string, decode: (text: string) => Uint8Array | null): string {
    const colon = text.indexOf(":");
    const range = parseRange(text.slice(0, Math.max(0, colon)));
    const data = decode(text.slice(colon + 1));
    if (colon < 0 || range === null || data === null || data.length !== range.length) return BAD_REQUEST;
    const written = this.physical
      ? this.machine.writePhysical(range.address, data)
      : this.machine.writeMemory(vcpu, range.address, data);
    return written ? OK : BAD_ADDRESS;
  }
}
