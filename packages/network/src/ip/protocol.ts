// SPDX-License-Identifier: Apache-2.0

/** Numbers of the protocols above IP. */
export const enum Protocol {
  Icmp = 1,
  Tcp = 6,
  Udp = 17,
  Icmp6 = 58,
}

export const IPV4_HEADER = 20;
export const IPV6_HEADER = 40;
export const UDP_HEADER = 8;
export const TCP_HEADER = 20;
export const HOP_LIMIT = 64;
/** Largest packet that the cable carries without segmentation. */
export const MTU = 1500;
