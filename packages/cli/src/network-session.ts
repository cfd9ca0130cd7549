// SPDX-License-Identifier: Apache-2.0
import { hostEntropy, hostTimers, nodeNetwork } from "@isola/host-node";
import { EgressPolicy, UserNetwork } from "@isola/network";
import type { Clock } from "@isola/ports";
import type { NetworkRequest } from "./network-option.js";

/** Name of the one network of a machine that the command line makes. */
export const NETWORK_NAME = "user";

/** Milliseconds for which acknowledgements wait for something to send. */
const ACKNOWLEDGE_AFTER = 1;

/** Makes the network of a machine; its ports are opened by `publish`. */
export function openNetwork(request: NetworkRequest, clock: Clock): UserNetwork {
  const timers = hostTimers(clock);
  return new UserNetwork({
    host: nodeNetwork,
    timers,
    entropy: hostEntropy,
    // Long enough for most answers to come first and take the acknowledgement along.
    soon: (task) => void setTimeout(task, ACKNOWLEDGE_AFTER),
    policy: new EgressPolicy(request.egress, request.allowByDefault, () => timers.now()),
    hostLoopback: request.hostLoopback,
  });
}
