// SPDX-License-Identifier: Apache-2.0
import { EgressPolicy, UserNetwork } from "@isola/network";
import type { Clock } from "@isola/ports";
import { hostEntropy } from "../entropy.js";
import { hostTimers } from "../timers.js";
import { RelaySocket } from "./relay-socket.js";

/** A network whose packets end in this tab, and whose connections are made by a relay. */
export interface RelayedNetwork {
  readonly link: UserNetwork;
  close(): void;
}

/** Makes the network of a machine. Rejects with an OperatorError if the relay does not answer. */
export async function openNetwork(
  { relay, hostLoopback }: { readonly relay: string; readonly hostLoopback: boolean },
  clock: Clock,
  soon: (task: () => void) => void,
): Promise<RelayedNetwork> {
  const socket = await RelaySocket.open(relay);
  const link = new UserNetwork({
    host: socket.client,
    timers: hostTimers(clock),
    entropy: hostEntropy,
    soon,
    // What may be reached is decided where the sockets are: whoever has the page could change what it says here.
    policy: new EgressPolicy([], true, () => clock.now()),
    hostLoopback,
  });
  return {
    link,
    close() {
      link.close();
      socket.close();
    },
  };
}
