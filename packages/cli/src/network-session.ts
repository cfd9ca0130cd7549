// SPDX-License-Identifier: Apache-2.0
import { hostEntropy, hostTimers, nodeNetwork } from "@isola/host-node";
import { EgressPolicy, UserNetwork } from "@isola/network";
import type { Clock } from "@isola/ports";
import type { NetworkRequest } from "./network-option.js";

/** Name of the one network of a machine that the command line makes. */
export const NETWORK_NAME = "user";

/** Makes the network of a machine; its ports are opened by `publish`. */
export function openNetwork(request: NetworkRequest, clock: Clock): UserNetwork {
  const timers = hostTimers(clock);
  return new UserNetwork({
    host: nodeNetwork,
    timers,
    entropy: hostEntropy,
    soon: (task) => void setImmediate(task),
    policy: new EgressPolicy(request.egress, request.allowByDefault, () => timers.now()),
    hostLoopback: request.hostLoopback,
  });
}
