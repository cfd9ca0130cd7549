// SPDX-License-Identifier: Apache-2.0
/** Traditional memory balloon (VIRTIO 1.2, section 5.5). */
export const BALLOON_TYPE = 5;
/** PCI class: unclassified, other. */
export const BALLOON_CLASS = 0xff_0000;
export const QUEUE_SIZE = 128;
/** The balloon counts in pages of this size whatever the guest's are. */
export const PAGE_SIZE = 4096;

export const enum BalloonFeature {
  Statistics = 1,
  DeflateOnOom = 2,
  PageReporting = 5,
}

export const enum Config {
  /** How many pages the device asks for, and how many it has. */
  Wanted = 0,
  Actual = 4,
}

/** Numbers of the queues that are always there; the others follow. */
export const enum Queue {
  Inflate = 0,
  Deflate = 1,
  First = 2,
}
export const QUEUES = 4;

/** Statistics are pairs of a 16-bit tag and a 64-bit value (5.5.6.4). */
export const STATISTIC_SIZE = 10;
export const STATISTICS = [
  "swappedIn",
  "swappedOut",
  "majorFaults",
  "minorFaults",
  "free",
  "total",
  "available",
  "caches",
] as const;

/** Page numbers of one request; Linux sends 256. */
export const MAX_PAGES = 16_384;
/** Bytes of one report that are taken; the rest stays with the guest. */
export const MAX_REPORT = 256 << 20;
/** Bytes that are cleared before the guest goes on, and how long the rest waits, in ns. */
export const BUDGET = 64 << 20;
export const REST_DELAY = 50_000;
