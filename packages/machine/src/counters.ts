// SPDX-License-Identifier: Apache-2.0
import { type CounterGroup, type CounterSpecs, type CounterValues, declareCounters } from "@isola/base";
import { CODE_COUNTERS, type CodeCounterValues, COMPILER_COUNTERS, CPU_COUNTERS } from "@isola/isa-x86";

const MACHINE_SPECS = {
  guestTime: { unit: "ns", doc: "time on the machine's own clock" },
  hostTime: { unit: "ns", doc: "host time that the machine has had on its thread" },
  shares: { unit: "events", doc: "times that the host gave it the thread" },
  boots: { unit: "events", doc: "power-on resets, the first one included" },
  timersFired: { unit: "events", doc: "timers of devices that fired" },
  portReads: { unit: "events", by: "device", doc: "reads of I/O ports" },
  portWrites: { unit: "events", by: "device", doc: "writes to I/O ports" },
  mmioReads: { unit: "events", by: "device", doc: "reads of memory-mapped registers" },
  mmioWrites: { unit: "events", by: "device", doc: "writes to memory-mapped registers" },
} as const satisfies CounterSpecs;

/** The machine as a whole. */
export const MACHINE_COUNTERS: CounterGroup<typeof MACHINE_SPECS> = declareCounters("machine", MACHINE_SPECS);

const SCHEDULER_SPECS = {
  sleeps: { unit: "events", doc: "times that it halted with nothing to do" },
  sleepTime: { unit: "ns", doc: "time asleep in HLT, on the machine's clock" },
} as const satisfies CounterSpecs;

/** One vCPU: what the processor counts, and what the scheduler knows of it. */
export const VCPU_COUNTERS: CounterGroup<(typeof CPU_COUNTERS)["specs"] & typeof SCHEDULER_SPECS> = declareCounters(
  CPU_COUNTERS.part,
  { ...CPU_COUNTERS.specs, ...SCHEDULER_SPECS },
);

const MODULE_SPECS = {
  moduleTime: { unit: "ns", doc: "host time spent compiling and instantiating modules on the machine's thread" },
  backgroundTime: {
    unit: "ns",
    doc: "host time until modules compiled on other threads were there, summed over modules",
  },
} as const satisfies CounterSpecs;

/** The compiler of hot code: what it counts, and what the host takes for it. */
export const TRANSLATION_COUNTERS: CounterGroup<(typeof COMPILER_COUNTERS)["specs"] & typeof MODULE_SPECS> =
  declareCounters(COMPILER_COUNTERS.part, { ...COMPILER_COUNTERS.specs, ...MODULE_SPECS });

const DISK_SPECS = {
  requests: { unit: "events", by: "operation", doc: "operations on the disk's store" },
  bytesRead: { unit: "bytes", doc: "bytes read" },
  bytesWritten: { unit: "bytes", doc: "bytes written" },
  errors: { unit: "events", doc: "operations that failed" },
  time: { unit: "ns", doc: "host time until operations were finished, summed over operations" },
} as const satisfies CounterSpecs;

/** One disk. */
export const DISK_COUNTERS: CounterGroup<typeof DISK_SPECS> = declareCounters("disk", DISK_SPECS);

const NETWORK_SPECS = {
  framesOut: { unit: "events", doc: "frames that the guest sent; a large one may stand for several packets" },
  framesIn: { unit: "events", doc: "frames that the guest received" },
  bytesOut: { unit: "bytes", doc: "bytes of frames that the guest sent" },
  bytesIn: { unit: "bytes", doc: "bytes of frames that the guest received" },
  dropped: { unit: "events", doc: "frames that the driver made wrongly, or gave no buffer that could hold them" },
  starved: { unit: "events", doc: "times that the network waited for buffers of the driver" },
} as const satisfies CounterSpecs;

/** One network card. */
export const NETWORK_COUNTERS: CounterGroup<typeof NETWORK_SPECS> = declareCounters("network", NETWORK_SPECS);

const SERIAL_SPECS = {
  bytesOut: { unit: "bytes", doc: "bytes that the guest transmitted" },
  bytesIn: { unit: "bytes", doc: "bytes that the port took from outside" },
} as const satisfies CounterSpecs;

/** One serial port. */
export const SERIAL_COUNTERS: CounterGroup<typeof SERIAL_SPECS> = declareCounters("serial", SERIAL_SPECS);

/** Every declared counter of a machine, and what a group's counters are counted for. */
export const COUNTER_GROUPS: readonly (CounterGroup<CounterSpecs> & { readonly each: string })[] = [
  { ...MACHINE_COUNTERS, each: "The machine" },
  { ...VCPU_COUNTERS, each: "Each vCPU" },
  { ...CODE_COUNTERS, each: "The cache of decoded code" },
  { ...TRANSLATION_COUNTERS, each: "The compiler of hot code" },
  { ...DISK_COUNTERS, each: "Each disk" },
  { ...NETWORK_COUNTERS, each: "Each network card" },
  { ...SERIAL_COUNTERS, each: "Each serial port" },
];

export type MachineCounterValues = CounterValues<typeof MACHINE_SPECS>;
export type VcpuCounterValues = CounterValues<(typeof VCPU_COUNTERS)["specs"]>;
export type TranslationCounterValues = CounterValues<(typeof TRANSLATION_COUNTERS)["specs"]>;
export type DiskCounterValues = CounterValues<typeof DISK_SPECS>;
export type NetworkCounterValues = CounterValues<typeof NETWORK_SPECS>;
export type SerialCounterValues = CounterValues<typeof SERIAL_SPECS>;

/** All counters of a machine at one moment: plain data. Counts begin when the machine is built and survive resets. */
export interface MachineStatistics {
  /** Changes when a name or a meaning does; new counters do not change it. */
  readonly version: 1;
  readonly machine: MachineCounterValues;
  readonly vcpus: readonly VcpuCounterValues[];
  readonly code: CodeCounterValues;
  readonly compiler: TranslationCounterValues;
  readonly disks: readonly DiskCounterValues[];
  readonly networks: readonly NetworkCounterValues[];
  readonly serial: readonly SerialCounterValues[];
}
