// SPDX-License-Identifier: Apache-2.0

/** Guest memory as one vCPU sees it at this moment. Reading has no effect on the guest: no faults, no accessed bits. */
export interface GuestMemory {
  /** Guest-physical address behind a linear one, or -1 if there is no page. */
  translate(linear: bigint): number;
  /** A live view of RAM, or null if the range is not wholly RAM. It must not be written. */
  physical(address: number, length: number): Uint8Array | null;
}

/** A look at what a vCPU is about to execute. */
export interface GuestSample {
  readonly vcpu: number;
  /** Host time in ns that the sample stands for: all of the vCPU's since its last sample. */
  readonly time: number;
  /** Size of code and stack words. */
  readonly bits: 16 | 32 | 64;
  /** Privilege level 3. */
  readonly user: boolean;
  /** Linear address of the next instruction. */
  readonly rip: bigint;
  /** Linear addresses in RSP and RBP: the stack segment's base is added. */
  readonly rsp: bigint;
  readonly rbp: bigint;
  /** IA32_LSTAR and IA32_SYSENTER_EIP: where system calls enter the kernel. */
  readonly systemCall: bigint;
  readonly systemEnter: bigint;
}

/** Takes samples of a running machine. Called between two slices; never throws. */
export interface SampleSink {
  /** Host time in ns between two samples of a vCPU; on a virtual clock, time of that clock. */
  readonly period: number;
  /** `memory` is what the vCPU sees, and good until this returns. */
  sample(sample: GuestSample, memory: GuestMemory): void;
  /** Host time in ns that the machine spent outside its vCPUs: timers, devices, scheduling. */
  outside(time: number): void;
  /** The machine is about to be reset: what the guest's memory says of the samples so far is lost after this. */
  settle(): void;
}
