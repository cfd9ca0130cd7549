// SPDX-License-Identifier: Apache-2.0
import { Lapic, LapicMsrs, type ApicBus } from "@isola/devices";
import type { BootState } from "@isola/firmware";
import {
  type CpuStatistics,
  DebugRegisters,
  type InterruptSource,
  LinearMemory,
  resetCpu,
  sampleCpu,
  SystemInstructions,
  X86Cpu,
  type X86Engine,
} from "@isola/isa-x86";
import type { Bus } from "@isola/memory";
import type { Entropy, GuestMemory, GuestSample, Timers } from "@isola/ports";
import { loadBootState, startCpuAt } from "./boot-entry.js";
import { TSC_HZ } from "./machine-clock.js";
import { describeCpu } from "./register-dump.js";
import type { Vcpu, VcpuExit } from "./vcpu.js";

/** Width of a physical address, for the reserved bits of IA32_APIC_BASE. */
const PHYSICAL_BITS = 40;
const EFER_LMA = 1n << 10n;

export interface X86VcpuPorts {
  readonly engine: X86Engine;
  readonly index: number;
  readonly cpuCount: number;
  readonly io: Bus;
  readonly apics: ApicBus;
  readonly timers: Timers;
  readonly entropy: Entropy;
  /** Interrupt-acknowledge cycle of the 8259 pair. */
  readonly externalVector: () => number;
  /** An interrupt or NMI waits. */
  readonly onInterrupt: () => void;
  readonly onInit: () => void;
  readonly onStartUp: (vector: number) => void;
}

/** An x86 processor package: core and local APIC. */
export class X86Vcpu implements Vcpu {
  readonly lapic: Lapic;
  readonly cpu: X86Cpu;
  /** For a debugger. */
  readonly registers: DebugRegisters;
  private readonly linear: LinearMemory;
  private nmiWaits = false;

  constructor(private readonly ports: X86VcpuPorts) {
    const { engine, index, cpuCount, io, timers, entropy } = ports;
    this.lapic = new Lapic({
      id: index,
      bsp: index === 0,
      bus: ports.apics,
      timers,
      tscToNs: (tsc) => tsc - this.tscOffset(),
      events: {
        onInterrupt: () => this.interrupt(),
        nmi: () => this.raiseNmi(),
        // There is no system-management mode; the message is lost, as on a processor that masks it.
        smi: () => {},
        init: ports.onInit,
        sipi: ports.onStartUp,
      },
      externalVector: ports.externalVector,
    });
    const interrupts: InterruptSource = {
      pending: () => this.lapic.pendingVector() !== -1,
      acknowledge: () => this.acknowledge(),
      takeNmi: () => this.takeNmi(),
    };
    const system = new SystemInstructions({
      io,
      apicRegisters: new LapicMsrs(this.lapic, PHYSICAL_BITS),
      apic: this.lapic,
      time: { frequency: TSC_HZ, apicTimerFrequency: TSC_HZ },
      entropy,
      cpuCount,
    });
    this.cpu = new X86Cpu(engine, index, interrupts, system);
    this.registers = new DebugRegisters(this.cpu);
    this.linear = new LinearMemory(this.cpu);
  }

  run(instructions: number): VcpuExit {
    return this.cpu.run(instructions);
  }

  get statistics(): CpuStatistics {
    return this.cpu.statistics;
  }

  /** What it is about to execute; legal between two runs. */
  sample(time: number): GuestSample {
    return sampleCpu(this.cpu, time);
  }

  /** Memory as it sees it now; good until it runs again. */
  memory(): GuestMemory {
    this.linear.refresh();
    return this.linear;
  }

  /** Linear addresses have 64 bits. */
  get usesWideAddresses(): boolean {
    return (this.cpu.state.get64("efer") & EFER_LMA) !== 0n;
  }

  /** Calls `listener` before every interrupt that is delivered to the guest. */
  listenToInterrupts(listener: (vector: number) => void): void {
    this.cpu.onInterrupt = listener;
  }

  get budgetLeft(): number {
    return this.cpu.budgetLeft;
  }

  requestExit(): void {
    this.cpu.requestExit();
  }

  /**
   * Power-on, then the state `boot` if it is not that after reset. The APIC of the `first` vCPU lets the 8259 pair
   * interrupt, as firmware leaves it, or as the BIOS interrupts of firmware that knows no APIC need it.
   */
  reset(boot: BootState | null, first: boolean): void {
    const { state, engine } = this.cpu;
    this.nmiWaits = false;
    this.lapic.reset();
    this.cpu.debug.moved();
    resetCpu(state, engine.helpers, state.base, true);
    if (first) this.lapic.enterVirtualWireMode();
    if (boot !== null) loadBootState(state, engine.helpers, boot);
  }

  init(): void {
    this.nmiWaits = false;
    const { state, engine } = this.cpu;
    resetCpu(state, engine.helpers, state.base, false);
  }

  startUp(vector: number): void {
    startCpuAt(this.cpu.state, this.cpu.engine.helpers, vector);
  }

  raiseNmi(): void {
    this.nmiWaits = true;
    this.interrupt();
  }

  /** Registers as text. */
  describe(): string {
    return describeCpu(this.cpu.state, this.cpu.engine.helpers);
  }

  private interrupt(): void {
    this.cpu.notify();
    this.ports.onInterrupt();
  }

  private acknowledge(): number {
    return this.lapic.pendingVector() === -1 ? -1 : this.lapic.acknowledge();
  }

  private takeNmi(): boolean {
    const waits = this.nmiWaits;
    this.nmiWaits = false;
    return waits;
  }

  private tscOffset(): number {
    return Number(BigInt.asIntN(64, this.cpu.state.get64("tscOffset")));
  }
}
