// SPDX-License-Identifier: Apache-2.0

/** What the card lets through to its driver (5.1.6.5.1). */
export interface ReceiveFilter {
  promiscuous: boolean;
  allMulticast: boolean;
  allUnicast: boolean;
  noMulticast: boolean;
  noUnicast: boolean;
  noBroadcast: boolean;
  /** Addresses beside its own, six bytes each. */
  unicast: number[][];
  multicast: number[][];
}

export interface VirtioNetState {
  readonly version: 1;
  mac: number[];
  filter: ReceiveFilter;
}

/** Before the driver says what it wants, everything comes through: a driver without the control queue never says. */
export function receiveFilter(): ReceiveFilter {
  return {
    promiscuous: true,
    allMulticast: false,
    allUnicast: false,
    noMulticast: false,
    noUnicast: false,
    noBroadcast: false,
    unicast: [],
    multicast: [],
  };
}
