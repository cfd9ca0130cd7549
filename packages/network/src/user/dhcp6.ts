// SPDX-License-Identifier: Apache-2.0
import { get16 } from "../frame/bytes.js";
import type { Subnet } from "./subnet.js";

const INFORMATION_REQUEST = 11;
const REPLY = 7;
const OPTION_CLIENT_ID = 1;
const OPTION_SERVER_ID = 2;
const OPTION_NAME_SERVERS = 23;
/** DUID of a link-layer address on Ethernet (RFC 8415, 11.4). */
const DUID_LINK_LAYER = [0, 3, 0, 1];
const HEADER = 4;
const MAX_CLIENT_ID = 130;

function option(code: number, data: ArrayLike<number>): number[] {
  return [code >> 8, code & 0xff, data.length >> 8, data.length & 0xff, ...Array.from(data)];
}

/** Answers a request for settings without addresses (RFC 8415, 18.3.6); null for all other messages. */
export function informationReply(message: Uint8Array, subnet: Subnet): Uint8Array | null {
  if (message.length < HEADER || message[0] !== INFORMATION_REQUEST) return null;
  let clientId: Uint8Array | null = null;
  for (let at = HEADER; at + 4 <= message.length;) {
    const length = get16(message, at + 2);
    if (at + 4 + length > message.length) return null;
    if (get16(message, at) === OPTION_CLIENT_ID) clientId = message.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  if (clientId !== null && clientId.length > MAX_CLIENT_ID) return null;
  const reply = Uint8Array.from([
    ...message.subarray(0, HEADER),
    ...(clientId === null ? [] : option(OPTION_CLIENT_ID, clientId)),
    ...option(OPTION_SERVER_ID, [...DUID_LINK_LAYER, ...subnet.mac]),
    ...option(OPTION_NAME_SERVERS, subnet.dns6),
  ]);
  reply[0] = REPLY;
  return reply;
}
