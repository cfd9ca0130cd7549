// SPDX-License-Identifier: Apache-2.0

export const OK = "OK";
/** What is not known is answered by an empty packet. */
export const UNSUPPORTED = "";
/** EINVAL: the packet makes no sense, or names what does not exist. */
export const BAD_REQUEST = "E16";
/** EFAULT: memory that cannot be accessed. */
export const BAD_ADDRESS = "E0e";
/** ENOSPC: no room for another breakpoint. */
export const NO_ROOM = "E1c";
/** EBUSY: not while the machine runs. */
export const RUNNING = "E10";
