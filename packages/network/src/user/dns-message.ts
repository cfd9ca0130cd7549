// SPDX-License-Identifier: Apache-2.0
import { get16, put16, put32 } from "../frame/bytes.js";

/** Types of records (RFC 1035, 3.2.2; RFC 3596). */
export const enum RecordType {
  A = 1,
  Ptr = 12,
  Aaaa = 28,
}
export const enum ResponseCode {
  Ok = 0,
  FormatError = 1,
  ServerFailure = 2,
  NoSuchName = 3,
  Refused = 5,
}
const CLASS_IN = 1;
const HEADER = 12;
/** A record before its data, with a compressed name. */
const RECORD = 12;
const MAX_DATAGRAM = 512;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const MAX_NAME = 255;
/** A compressed name that points to the question's. */
const QUESTION_NAME = 0xc000 | HEADER;

/** A query with one question. */
export interface DnsQuery {
  readonly id: number;
  readonly recursion: boolean;
  /** Labels joined by dots, without the last dot; bytes that are not ASCII appear as they are. */
  readonly name: string;
  readonly type: number;
  /** The question as it came. */
  readonly question: Uint8Array;
}

/** Reads a query (RFC 1035, 4.1); null if it is none, or has not exactly one question of class IN. */
export function parseQuery(message: Uint8Array): DnsQuery | null {
  if (message.length < HEADER) return null;
  const flags = get16(message, 2);
  if ((flags & (RESPONSE | OPCODE)) !== 0 || get16(message, 4) !== 1) return null;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = message[at];
    // Compression has nothing to point to in a question.
    if (length === undefined || length > 63 || at + 1 + length > message.length || at - HEADER > MAX_NAME) return null;
    at++;
    if (length === 0) break;
    labels.push(String.fromCharCode(...message.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > message.length || get16(message, at + 2) !== CLASS_IN) return null;
  return {
    id: get16(message, 0),
    recursion: (flags & RECURSION_DESIRED) !== 0,
    name: labels.join("."),
    type: get16(message, at),
    question: message.slice(HEADER, at + 4),
  };
}

/**
 * Writes an answer whose records are all of the question's name, type and class, for `ttl` seconds. Records that do not
 * fit a datagram of the least size that everybody takes (RFC 1035, 2.3.4) are left out.
 */
export function writeAnswer(
  { id, recursion, question, type }: DnsQuery,
  code: ResponseCode,
  available: readonly Uint8Array[] = [],
  ttl = 0,
): Uint8Array {
  let size = HEADER + question.length;
  const records = available.filter((data) => {
    const fits = size + RECORD + data.length <= MAX_DATAGRAM;
    if (fits) size += RECORD + data.length;
    return fits;
  });
  const message = new Uint8Array(size);
  put16(message, 0, id);
  put16(message, 2, RESPONSE | RECURSION_AVAILABLE | (recursion ? RECURSION_DESIRED : 0) | code);
  put16(message, 4, 1);
  put16(message, 6, records.length);
  message.set(question, HEADER);
  let at = HEADER + question.length;
  for (const data of records) {
    put16(message, at, QUESTION_NAME);
    put16(message, at + 2, type);
    put16(message, at + 4, CLASS_IN);
    put32(message, at + 6, ttl);
    put16(message, at + 10, data.length);
    message.set(data, at + RECORD);
    at += RECORD + data.length;
  }
  return message;
}

/** A name as labels with their lengths; null if it cannot be one. */
export function encodeName(name: string): Uint8Array | null {
  const bytes: number[] = [];
  for (const label of name.replace(/\.$/, "").split(".")) {
    if (label.length === 0 || label.length > 63 || !/^[\x21-\x7e]+$/.test(label)) return null;
    bytes.push(label.length, ...Array.from(label, (c) => c.charCodeAt(0)));
  }
  bytes.push(0);
  return bytes.length <= MAX_NAME ? Uint8Array.from(bytes) : null;
}

const HEX = "0123456789abcdef";

/** The address that a name below in-addr.arpa or ip6.arpa stands for (RFC 1035, 3.5; RFC 3596, 2.5), or null. */
export function reverseAddress(name: string): Uint8Array | null {
  const lower = name.toLowerCase();
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(lower);
  if (v4 !== null) {
    const bytes = v4.slice(1).map(Number).reverse();
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : null;
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(lower);
  if (v6 === null) return null;
  const nibbles = (v6[1] ?? "").replaceAll(".", "").split("").reverse();
  return Uint8Array.from(
    { length: 16 },
    (_, i) => HEX.indexOf(nibbles[2 * i] ?? "0") * 16 + HEX.indexOf(nibbles[2 * i + 1] ?? "0"),
  );
}
