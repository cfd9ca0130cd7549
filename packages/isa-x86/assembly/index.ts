// SPDX-License-Identifier: Apache-2.0
// The helper module: cold and wide operations that interpreter handlers, compiled regions and the run loop call.
export { raiseUnavailable } from "./availability";
export { configureCpus, evictHalf, findBlock, insertBlock, takeDeadBlocks, writtenByDevice } from "./code-cache";
export { countAllInterpreted, setHeat } from "./heat";
export { materializeFlags } from "./lazy-flags";
export { cachedRecord, deliverFault, linearRip, lookup, nextRip, noteHot, recordRip, resolve, translateCode } from "./lookup";
export {
  checkCanonical, checkWrite, hostForRead, hostForWrite, readBlock, readForWrite, readGuest, readGuest128, readGuest256, writeBlock, writeGuest,
  checkFxArea, checkWrite, readBlock, readForWrite, readGuest, readGuest128, readGuest256, writeBlock, writeGuest,
  writeGuest128, writeGuest256,
} from "./memory";
export {
  readForWriteCompiled, readGuest128Compiled, readGuest256Compiled, readGuestCompiled, writeGuest128Compiled,
  writeGuest256Compiled, writeGuestCompiled,
} from "./memory";
export { configureRam, mapLowPage, mapWindow, readOffset, readPhysical, setAddressMask, writePhysical } from "./physical";
export { flushTlb, initTlb } from "./address-space";
export { refreshJumpContext } from "./jump-cache";
export { invalidatePage } from "./tlb";
export { setBreakpointPages, setWatchpoint, setWatchpointCount } from "./watch";

// x87 and MMX state: x87/README.md
export * from "./x87/load";
export * from "./x87/store";
export * from "./x87/arithmetic";
export * from "./x87/registers";
export * from "./x87/transcendental";
export * from "./x87/control";
export * from "./x87/fxsave";
export * from "./x87/xsave";

// MMX, SSE, AES-NI, PCLMULQDQ, SHA-NI
export * from "./sse/aes";
export * from "./sse/arithmetic";
export * from "./sse/carryless";
export * from "./sse/compare";
export * from "./sse/convert";
export * from "./sse/elements";
export * from "./sse/estimate";
export * from "./sse/fused";
export * from "./sse/integer";
export * from "./sse/masked-store";
export * from "./sse/sha";
export * from "./sse/string";
export { beginStep, endStep, checkIoBreakpoint } from "./system/breakpoint";
export { clearTaskSwitched, loadMachineStatus, readControl, writeControl, writeEfer } from "./system/control";
export { loadDescriptorTable, loadLocalTable, loadTaskRegister, requireDescriptors, requirePrivilege } from "./system/descriptor-table";
export { deliverInterrupt, raisePending, softwareInterrupt } from "./system/exception";
export { clearInterruptFlag, flagsToPush, popFlags, readFlags, setInterruptFlag, writeFlags } from "./system/flags";
export { loadAccessRights, loadSegmentLimit, verifySegment } from "./system/inspect";
export { interruptReturn } from "./system/iret";
export { changeAccessFlag, updateMode } from "./system/mode";
export { farReturn } from "./system/return";
export { invalidateByPcid } from "./system/pcid";
export { moveToSegment, popSegment } from "./system/segment-load";
export { adjustStackSegmented, checkCodeLimit, checkSegmentWritable, peekSegmented, pushSegmented, pushSelector, segmentAddress } from "./system/stack";
export { readSegmentBase, readBaseRegister, swapGs, systemCall, systemEnter, systemExit, systemReturn, writeBaseRegister, writeSegmentBase } from "./system/syscall";
export { estimateTicks, readTimeStamp, timeStamp } from "./system/time-stamp";
export { farCall, farJump } from "./system/transfer";
export { checkIo } from "./system/tss";

// Integer instructions
export { crc32c, depositBits, extractBits } from "./integer/bits";
export { moveAddress } from "./integer/bit-string";
export { enterFrame, leaveFrame, popAll, pushAll } from "./integer/frame";
export { compareStrings, scanString } from "./integer/string-compare";
export { loadString, moveString, storeString, translateByte } from "./integer/string-move";
export {
  divideSigned, divideUnsigned, multiplyHighSigned, multiplyHighUnsigned, signedDivisionOverflows,
} from "./integer/wide";
