// SPDX-License-Identifier: Apache-2.0
// What helpers need from outside the linear memory: devices behind physical addresses that are not RAM, and the time.

/** Reads 1, 2 or 4 bytes at a guest-physical address that is not RAM. */
@external("host", "mmioRead")
export declare function mmioRead(low: u32, high: u32, bytes: u32): u32;

/** Writes 1, 2 or 4 bytes at a guest-physical address that is not RAM. */
@external("host", "mmioWrite")
export declare function mmioWrite(low: u32, high: u32, bytes: u32, value: u32): void;

/** Fetches from the page at a linear address now go to frame `frame` of RAM: for pages with breakpoints, see watch.ts. */
@external("host", "codePageMapped")
export declare function codePageMapped(low: u32, high: u32, frame: u32): void;

/** Ticks of the machine's time-stamp counter: a whole number, before a vCPU's own offset. */
@external("host", "machineTicks")
export declare function machineTicks(): f64;
