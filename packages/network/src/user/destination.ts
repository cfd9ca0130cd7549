// SPDX-License-Identifier: Apache-2.0
import type { Endpoint } from "@isola/ports";
import { equal } from "../frame/bytes.js";
import { contains, formatIp, type IpAddress, unmapped } from "../ip/address.js";
import type { EgressPolicy, EgressProtocol } from "./egress-policy.js";
import type { Subnet } from "./subnet.js";

/** Where guests' packets go on the host. */
export class Destinations {
  /** Packets and connections that were not let through. */
  denied = 0;

  /** @param hostLoopback whether the gateway's address stands for the host's own loopback interface */
  constructor(
    private readonly subnet: Subnet,
    private readonly policy: EgressPolicy,
    private readonly hostLoopback: boolean,
  ) {}

  /** The host's endpoint for what a guest calls `destination`, or null if it may not be reached. */
  find(protocol: EgressProtocol, destination: IpAddress, port: number): Endpoint | null {
    const found = this.translate(protocol, destination, port);
    if (found === null) this.denied++;
    return found;
  }

  private translate(protocol: EgressProtocol, destination: IpAddress, port: number): Endpoint | null {
    const { subnet } = this;
    if (port === 0) return null;
    if (equal(destination, subnet.gateway)) return this.hostLoopback ? { address: "127.0.0.1", port } : null;
    if (equal(destination, subnet.gateway6)) return this.hostLoopback ? { address: "::1", port } : null;
    if (contains(subnet.v4, destination) || contains(subnet.v6, destination)) return null;
    if (!this.policy.allows(protocol, destination, port)) return null;
    return { address: formatIp(unmapped(destination)), port };
  }
}
