// SPDX-License-Identifier: Apache-2.0
import { type CounterGroup, type CounterSpecs, type CounterValues, declareCounters } from "@isola/base";

const SPECS = {
  opened: { unit: "events", doc: "TCP connections that guests asked for" },
  accepted: { unit: "events", doc: "TCP connections to published ports" },
  failed: { unit: "events", doc: "TCP connections that the host could not make" },
  overflowed: { unit: "events", doc: "TCP connections for which there was no room" },
  bytesOut: { unit: "bytes", doc: "TCP data from guests" },
  bytesIn: { unit: "bytes", doc: "TCP data to guests" },
  mappings: { unit: "events", doc: "UDP ports of guests that were mapped" },
  active: { unit: "events", doc: "TCP connections and UDP mappings at this moment" },
  queries: { unit: "events", doc: "questions to the name server" },
  queriesRefused: { unit: "events", doc: "questions for names that guests may not reach" },
  denied: { unit: "events", doc: "connections and datagrams to where guests may not go" },
  dropped: { unit: "events", doc: "frames lost because a guest took them too slowly" },
  malformed: { unit: "events", doc: "packets of guests that made no sense" },
} as const satisfies CounterSpecs;

/** A user-mode network. */
export const USER_NETWORK_COUNTERS: CounterGroup<typeof SPECS> = declareCounters("nat", SPECS);
export type UserNetworkCounters = CounterValues<typeof SPECS>;
