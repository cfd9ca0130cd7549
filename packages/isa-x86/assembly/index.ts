// SPDX-License-Identifier: Apache-2.0
// The helper module: cold and wide operations that interpreter handlers, compiled regions and the run loop call.
export { raiseUnavailable } from "./availability";
export { configureCpus, evictHalf, insertBlock, invalidatedBlockCount, writtenByDevice } from "./code-cache";
export { deliverFault, linearRip, lookup, nextRip, recordRip, resolve, translateCode } from "./lookup";
export { checkWrite, readForWrite, readGuest, readGuest128, writeGuest, writeGuest128 } from "./memory";
export { configureRam, readPhysical, writePhysical } from "./physical";
export { flushPcid, flushTlb, initTlb, invalidatePage, refreshJumpContext, switchAddressSpace } from "./tlb";
