// SPDX-License-Identifier: Apache-2.0
/** File system device (VIRTIO 1.2, section 5.11). */
export const FS_TYPE = 26;
/** PCI class: mass storage, other. */
export const FS_CLASS = 0x01_8000;

export const enum Queue {
  /** Requests that must not wait: that a node is forgotten, that a request is interrupted. */
  HighPriority = 0,
  Request = 1,
}

export const QUEUE_SIZES: readonly number[] = [128, 128];

/** The configuration (5.11.4): the tag, padded with zeros, and the number of request queues. */
export const TAG_LENGTH = 36;
export const CONFIG_LENGTH = TAG_LENGTH + 4;

/** Requests side by side; more stay in their queue. */
export const MAX_IN_FLIGHT = 64;
/** Most data in one write, and so most of what a request may hold. */
export const MAX_WRITE = 1 << 17;
/** Headers and names of the longest request come on top of that. */
export const MAX_REQUEST = MAX_WRITE + (1 << 13);
export const MAX_REPLY = MAX_WRITE + (1 << 12);
