// SPDX-License-Identifier: Apache-2.0

/** Accesses that a watchpoint stops at. */
export type WatchAccess = "write" | "read" | "access";

/** Why a vCPU stopped for a debugger. Its instruction pointer is that of the next instruction. */
export type DebugStop =
  /** The next instruction has a breakpoint. */
  | { readonly kind: "breakpoint"; readonly hardware: boolean }
  /** The last instruction has met a watchpoint, which begins at this linear address. */
  | { readonly kind: "watchpoint"; readonly access: WatchAccess; readonly address: bigint }
  /** What it was to step over has been executed. */
  | { readonly kind: "step" };

/** What a vCPU does once its machine goes on. */
export type DebugResume =
  | { readonly kind: "continue" }
  /** One instruction, without interrupts. */
  | { readonly kind: "step" }
  /** Instructions, as long as the instruction pointer is in `[from, to)`. */
  | { readonly kind: "range"; readonly from: bigint; readonly to: bigint }
  /** It stands still while others run. */
  | { readonly kind: "hold" };

/** Places at which a machine stops for a debugger. Addresses are linear, in whatever address space they are met. */
export type DebugPoint =
  | { readonly kind: "breakpoint"; readonly hardware: boolean; readonly address: bigint }
  | { readonly kind: "watchpoint"; readonly access: WatchAccess; readonly address: bigint; readonly length: number };

/** A machine as a debugger looks at it: between two slices of its vCPUs, without effects on the guest unless it writes. */
export interface DebugMachine {
  readonly vcpus: number;
  /** What a vCPU is doing, in a word or two. */
  vcpuState(vcpu: number): string;
  /**
   * Bytes of a register, little endian, or null if there is none of that name.
   * @param name as the architecture's manuals have it in lower case, for example `rax`, `xmm3` or `fs_base`
   */
  readRegister(vcpu: number, name: string): Uint8Array | null;
  /** False (and nothing changed) if there is no such register, or it cannot have that value now. */
  writeRegister(vcpu: number, name: string, value: Uint8Array): boolean;
  /** Memory at a linear address as a vCPU sees it; shorter than asked for where something cannot be read. */
  readMemory(vcpu: number, address: bigint, length: number): Uint8Array;
  /** False (and nothing changed) unless all of it is RAM. */
  writeMemory(vcpu: number, address: bigint, data: Uint8Array): boolean;
  readPhysical(address: bigint, length: number): Uint8Array;
  writePhysical(address: bigint, data: Uint8Array): boolean;
  /** False if there is no room for another one, or no such length. The same point may be inserted again, to no effect. */
  insertPoint(point: DebugPoint): boolean;
  /** False if there is no such point. */
  removePoint(point: DebugPoint): boolean;
  removeAllPoints(): void;
  /** Registers as text, without a newline at the end. */
  describeRegisters(vcpu: number): string;
  /** Pages that are mapped for a vCPU, as lines of text; it ends early where there is more than anybody reads. */
  describeMappings(vcpu: number): string;
  /** What each vCPU does from now on; all continue if there are fewer. */
  setResume(plan: readonly DebugResume[]): void;
}

/** Why a machine has stopped running. */
export type DebugEvent =
  | { readonly kind: "stop"; readonly vcpu: number; readonly stop: DebugStop }
  /** Triple fault; the machine ends when it is resumed. */
  | { readonly kind: "triple-fault"; readonly vcpu: number }
  /** Interrupted. */
  | { readonly kind: "paused" }
  /** It has ended for good; `status` as a program would exit. */
  | { readonly kind: "ended"; readonly status: number };

/** A machine that a debugger controls. */
export interface DebugTarget {
  readonly machine: DebugMachine;
  /** Hears when the machine stops running. */
  onEvent: (event: DebugEvent) => void;
  readonly state: "running" | "stopped" | "ended";
  /** Lets a stopped machine run. */
  resume(plan: readonly DebugResume[]): void;
  /** Stops a running machine; the event comes before this returns. */
  interrupt(): void;
  reset(): void;
  pressPowerButton(): void;
  /** Switches the machine off. */
  kill(): void;
  /** The debugger goes: all points are removed and the machine goes on. */
  detach(): void;
}
