// SPDX-License-Identifier: Apache-2.0
import { get16, get32, put16, put32 } from "../frame/bytes.js";
import { TCP_HEADER } from "../ip/protocol.js";

export const enum TcpFlag {
  Fin = 1,
  Syn = 2,
  Rst = 4,
  Psh = 8,
  Ack = 16,
}

/** A TCP segment as it came (RFC 9293, 3.1). `payload` is a view into the frame. */
export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** As it stands in the header, not scaled. */
  readonly window: number;
  /** Maximum segment size and window scale options of a SYN; 0 and -1 if absent. */
  readonly maxSegment: number;
  readonly windowScale: number;
  readonly payload: Uint8Array;
}

export const CHECKSUM_OFFSET = 16;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_SCALE = 3;
/** Largest scale that counts (RFC 7323, 2.3). */
const MAX_SCALE = 14;

/** Reads a segment; null if it is malformed. */
export function parseSegment(bytes: Uint8Array): TcpSegment | null {
  if (bytes.length < TCP_HEADER) return null;
  const header = (bytes[12] >> 4) * 4;
  if (header < TCP_HEADER || header > bytes.length) return null;
  let maxSegment = 0;
  let windowScale = -1;
  const flags = bytes[13];
  if ((flags & TcpFlag.Syn) !== 0) {
    for (let at = TCP_HEADER; at < header && bytes[at] !== OPTION_END;) {
      if (bytes[at] === OPTION_NOP) {
        at++;
        continue;
      }
      const length = at + 1 < header ? bytes[at + 1] : 0;
      if (length < 2 || at + length > header) break;
      if (bytes[at] === OPTION_MSS && length === 4) maxSegment = get16(bytes, at + 2);
      if (bytes[at] === OPTION_SCALE && length === 3) windowScale = Math.min(bytes[at + 2], MAX_SCALE);
      at += length;
    }
  }
  return {
    sourcePort: get16(bytes, 0),
    destinationPort: get16(bytes, 2),
    seq: get32(bytes, 4),
    ack: get32(bytes, 8),
    flags,
    window: get16(bytes, 14),
    maxSegment,
    windowScale,
    payload: bytes.subarray(header),
  };
}

export interface TcpHeaderFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  /** Options of a SYN; 0 and -1 to leave them out. */
  readonly maxSegment: number;
  readonly windowScale: number;
}

/** Writes a header with a checksum field of zero; returns its length. */
export function writeTcpHeader(bytes: Uint8Array, at: number, fields: TcpHeaderFields): number {
  let end = at + TCP_HEADER;
  put16(bytes, at, fields.sourcePort);
  put16(bytes, at + 2, fields.destinationPort);
  put32(bytes, at + 4, fields.seq);
  put32(bytes, at + 8, fields.ack);
  if (fields.maxSegment > 0) {
    bytes[end] = OPTION_MSS;
    bytes[end + 1] = 4;
    put16(bytes, end + 2, fields.maxSegment);
    end += 4;
  }
  if (fields.windowScale >= 0) {
    bytes[end] = OPTION_NOP;
    bytes[end + 1] = OPTION_SCALE;
    bytes[end + 2] = 3;
    bytes[end + 3] = fields.windowScale;
    end += 4;
  }
  bytes[at + 12] = ((end - at) / 4) << 4;
  bytes[at + 13] = fields.flags;
  put16(bytes, at + 14, fields.window);
  put32(bytes, at + CHECKSUM_OFFSET, 0);
  return end - at;
}
