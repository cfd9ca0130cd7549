// SPDX-License-Identifier: Apache-2.0

/**
 * Gives memory back to the host that a machine does not need: whole pages, which hold zeros afterwards. Returns false, and
 * leaves the bytes as they are, where the host cannot do that.
 */
export type MemoryReclaimer = (bytes: Uint8Array) => boolean;
