// SPDX-License-Identifier: Apache-2.0
import { type Cidr, cidr, type IpAddress, ip } from "../ip/address.js";

/** Addresses of a user-mode network. Those of IPv4 are the ones that people know from other machine monitors. */
export interface Subnet {
  readonly v4: Cidr;
  readonly mask: IpAddress;
  readonly gateway: IpAddress;
  readonly dns: IpAddress;
  readonly broadcast: IpAddress;
  /** First address that DHCP gives, and how many follow it. */
  readonly firstLease: IpAddress;
  readonly leases: number;
  readonly v6: Cidr;
  readonly gateway6: IpAddress;
  readonly dns6: IpAddress;
  /** Link-local address from which routers announce themselves. */
  readonly router6: IpAddress;
  /** MAC address of the gateway, locally administered. */
  readonly mac: Uint8Array;
}

/** A site-local prefix (RFC 4193) that never leaves the process: every connection is made anew by the host. */
export const DEFAULT_SUBNET: Subnet = {
  v4: cidr("10.0.2.0/24"),
  mask: ip("255.255.255.0"),
  gateway: ip("10.0.2.2"),
  dns: ip("10.0.2.3"),
  broadcast: ip("10.0.2.255"),
  firstLease: ip("10.0.2.15"),
  leases: 240,
  v6: cidr("fd69:736f:6c61::/64"),
  gateway6: ip("fd69:736f:6c61::2"),
  dns6: ip("fd69:736f:6c61::3"),
  router6: ip("fe80::2"),
  mac: Uint8Array.of(0x52, 0x69, 0x73, 0x6f, 0x00, 0x02),
};
