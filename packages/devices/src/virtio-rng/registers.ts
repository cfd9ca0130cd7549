// SPDX-License-Identifier: Apache-2.0
/** Entropy device (VIRTIO 1.2, section 5.4). */
export const ENTROPY_TYPE = 4;
/** PCI class: unclassified, other. */
export const ENTROPY_CLASS = 0xff_0000;
export const QUEUE_SIZE = 64;
/** Most bytes given for one request; a driver that wants more asks again. */
export const MAX_REQUEST_BYTES = 1 << 16;
