// SPDX-License-Identifier: Apache-2.0
export { type Cidr, formatIp, type IpAddress, parseCidr, parseIp } from "./ip/address.js";
export { formatMac } from "./frame/ethernet.js";
export { EgressPolicy, type EgressProtocol, type EgressRule, parseEgressRule } from "./user/egress-policy.js";
export type { PublishedPort } from "./user/publisher.js";
export { DEFAULT_SUBNET, type Subnet } from "./user/subnet.js";
export { UserNetwork, type UserNetworkOptions } from "./user/user-network.js";
export { USER_NETWORK_COUNTERS, type UserNetworkCounters } from "./user/user-network-counters.js";
export { RelayClient } from "./relay/relay-client.js";
export { type RelayOptions, RelayServer } from "./relay/relay-server.js";
export { DEFAULT_VLANS, SwitchPort, VirtualSwitch } from "./switch/virtual-switch.js";
export type { PortVlans } from "./switch/vlan.js";
