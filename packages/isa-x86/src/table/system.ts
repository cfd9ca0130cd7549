// SPDX-License-Identifier: Apache-2.0
import * as far from "../semantics/far-branch.js";
import * as segment from "../semantics/segment.js";
import * as system from "../semantics/system.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const NOT64: Attributes = { only: "not64" };
const ONLY64: Attributes = { only: "64" };
const ENDS: Attributes = { ends: true };
const SIZED_ENDS: Attributes = { sized: true, ends: true };
const STACK: Attributes = { sized: true, size64: "default64" };
/** Pointer-sized: 64 bits in 64-bit mode and 32 elsewhere, whatever the prefixes say. */
const NATIVE: Attributes = { size64: "force64", ends: true };

const segments: readonly Opcode[] = [
  op("8c /r mem", "mov Mw,Sw", segment.storeSegment),
  op("8c /r reg", "mov Rv,Sw", segment.storeSegment),
  op("8e /r", "mov Sw,Ew", segment.loadSegment, ENDS),
  op("06", "push es", segment.pushSegment, { ...STACK, ...NOT64 }),
  op("0e", "push cs", segment.pushSegment, { ...STACK, ...NOT64 }),
  op("16", "push ss", segment.pushSegment, { ...STACK, ...NOT64 }),
  op("1e", "push ds", segment.pushSegment, { ...STACK, ...NOT64 }),
  op("0f a0", "push fs", segment.pushSegment, STACK),
  op("0f a8", "push gs", segment.pushSegment, STACK),
  op("07", "pop es", segment.popSegment, { ...STACK, ...NOT64, ...ENDS }),
  op("17", "pop ss", segment.popSegment, { ...STACK, ...NOT64, ...ENDS }),
  op("1f", "pop ds", segment.popSegment, { ...STACK, ...NOT64, ...ENDS }),
  op("0f a1", "pop fs", segment.popSegment, { ...STACK, ...ENDS }),
  op("0f a9", "pop gs", segment.popSegment, { ...STACK, ...ENDS }),
  op("c4 /r", "les Gv,Mp", segment.loadFarPointer(0), { ...NOT64, ...ENDS }),
  op("c5 /r", "lds Gv,Mp", segment.loadFarPointer(3), { ...NOT64, ...ENDS }),
  op("0f b2 /r", "lss Gv,Mp", segment.loadFarPointer(2), ENDS),
  op("0f b4 /r", "lfs Gv,Mp", segment.loadFarPointer(4), ENDS),
  op("0f b5 /r", "lgs Gv,Mp", segment.loadFarPointer(5), ENDS),
  op("f3 0f ae /0 reg", "rdfsbase Ry", segment.readBase(0), { ...ONLY64, feature: "FSGSBASE" }),
  op("f3 0f ae /1 reg", "rdgsbase Ry", segment.readBase(1), { ...ONLY64, feature: "FSGSBASE" }),
  op("f3 0f ae /2 reg", "wrfsbase Ry", segment.writeBase(0), { ...ONLY64, feature: "FSGSBASE" }),
  op("f3 0f ae /3 reg", "wrgsbase Ry", segment.writeBase(1), { ...ONLY64, feature: "FSGSBASE" }),
  op("0f 01 f8 modrm", "swapgs", system.swapgs, ONLY64),
];

const selectors: readonly Opcode[] = [
  op("0f 02 /r", "lar Gv,Ew", segment.inspectSelector("loadAccessRights")),
  op("0f 03 /r", "lsl Gv,Ew", segment.inspectSelector("loadSegmentLimit")),
  op("0f 00 /4", "verr Ew", segment.verify(0)),
  op("0f 00 /5", "verw Ew", segment.verify(1)),
  op("63 /r", "arpl Ew,Gw", segment.arpl, NOT64),
  op("0f 00 /0 mem", "sldt Mw", segment.storeSystemSelector("ldtrSel")),
  op("0f 00 /0 reg", "sldt Rv", segment.storeSystemSelector("ldtrSel")),
  op("0f 00 /1 mem", "str Mw", segment.storeSystemSelector("trSel")),
  op("0f 00 /1 reg", "str Rv", segment.storeSystemSelector("trSel")),
  op("0f 00 /2", "lldt Ew", segment.loadSystemSelector("loadLocalTable")),
  op("0f 00 /3", "ltr Ew", segment.loadSystemSelector("loadTaskRegister")),
  op("0f 01 /0 mem", "sgdt Ms", segment.storeTable("gdtr"), { model: true }),
  op("0f 01 /1 mem", "sidt Ms", segment.storeTable("idtr"), { model: true }),
  op("0f 01 /2 mem", "lgdt Ms", segment.loadTable("gdtr"), { model: true }),
  op("0f 01 /3 mem", "lidt Ms", segment.loadTable("idtr"), { model: true }),
];

const transfers: readonly Opcode[] = [
  op("ea", "jmp Ap", far.jmpFar, { ...NOT64, ...ENDS }),
  op("9a", "call Ap", far.callFar, { ...NOT64, ...ENDS }),
  op("ff /5 mem", "jmp Mp", far.jmpFarIndirect, ENDS),
  op("ff /3 mem", "call Mp", far.callFarIndirect, ENDS),
  op("ca", "retf Lw", far.retFar, SIZED_ENDS),
  op("cb", "retf", far.retFar, SIZED_ENDS),
  op("cf", "iret", far.iret, SIZED_ENDS),
  op("0f 05", "syscall", far.syscall, ENDS),
  op("0f 07", "sysret", far.sysret, SIZED_ENDS),
  op("0f 34", "sysenter", far.sysenter, ENDS),
  op("0f 35", "sysexit", far.sysexit, SIZED_ENDS),
];

const control: readonly Opcode[] = [
  op("0f 20 /r", "mov Ry,Cd", system.moveFromControl, NATIVE),
  op("0f 22 /r", "mov Cd,Ry", system.moveToControl, NATIVE),
  op("0f 21 /r", "mov Ry,Dd", system.trap, NATIVE),
  op("0f 23 /r", "mov Dd,Ry", system.trap, NATIVE),
  op("0f 01 /4 mem", "smsw Mw", system.smsw),
  op("0f 01 /4 reg", "smsw Rv", system.smsw),
  op("0f 01 /6", "lmsw Ew", system.lmsw, ENDS),
  op("0f 06", "clts", system.clts, ENDS),
  op("0f 01 /7 mem", "invlpg M", system.invlpg, ENDS),
  op("66 0f 38 82 /r mem", "invpcid Gy,Mx", system.invpcid, { ...NATIVE, feature: "INVPCID" }),
  op("0f 08", "invd", system.cacheFlush),
  op("0f 09", "wbinvd", system.cacheFlush),
  op("fa", "cli", system.cli),
  op("fb", "sti", system.sti, ENDS),
  op("f4", "hlt", system.trap, ENDS),
  op("np 0f 01 ca modrm", "clac", system.setAlignmentCheck(0), { feature: "SMAP" }),
  op("np 0f 01 cb modrm", "stac", system.setAlignmentCheck(1), { feature: "SMAP" }),
];

const registers: readonly Opcode[] = [
  op("0f a2", "cpuid", system.trap, ENDS),
  op("0f 30", "wrmsr", system.modelSpecific("writeBaseRegister"), ENDS),
  op("0f 32", "rdmsr", system.modelSpecific("readBaseRegister"), ENDS),
  op("0f 31", "rdtsc", system.rdtsc),
  op("0f 01 f9 modrm", "rdtscp", system.rdtscp, { feature: "RDTSCP" }),
  op("0f 33", "rdpmc", system.rdpmc, ENDS),
  op("f3 0f c7 /7 reg", "rdpid Ry", system.rdpid, { size64: "force64", feature: "RDPID" }),
  op("0f c7 /6 reg", "rdrand Rv", system.trap, { ...ENDS, feature: "RDRAND" }),
  op("0f c7 /7 reg", "rdseed Rv", system.trap, { ...ENDS, feature: "RDSEED" }),
];

const ports: readonly Opcode[] = [
  op("e4", "in AL,Lb", system.trap, ENDS),
  op("e5", "in eAX,Lb", system.trap, ENDS),
  op("e6", "out Lb,AL", system.trap, ENDS),
  op("e7", "out Lb,eAX", system.trap, ENDS),
  op("ec", "in AL,DX", system.trap, ENDS),
  op("ed", "in eAX,DX", system.trap, ENDS),
  op("ee", "out DX,AL", system.trap, ENDS),
  op("ef", "out DX,eAX", system.trap, ENDS),
  op("6c", "ins Yb,DX", system.trap, { repeat: true, ...ENDS }),
  op("6d", "ins Yz,DX", system.trap, { repeat: true, ...ENDS }),
  op("6e", "outs DX,Xb", system.trap, { repeat: true, ...ENDS }),
  op("6f", "outs DX,Xz", system.trap, { repeat: true, ...ENDS }),
];

/** Segmentation, far transfers, control registers, ports and the rest of what operating systems use. */
export const systemOpcodes: readonly Opcode[] = [
  ...segments,
  ...selectors,
  ...transfers,
  ...control,
  ...registers,
  ...ports,
];
