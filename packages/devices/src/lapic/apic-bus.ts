// SPDX-License-Identifier: Apache-2.0
import type { MsiSink } from "@isola/memory";
import type { ApicAddress } from "./destination.js";
import { matchesDestination } from "./destination.js";
import { Delivery } from "./registers.js";

/** A local APIC as the bus sees it. */
export interface ApicTarget {
  readonly address: ApicAddress;
  /** False once the APIC is switched off by IA32_APIC_BASE: it then receives nothing. */
  readonly present: boolean;
  /** False while SVR keeps it from taking fixed interrupts. */
  readonly enabled: boolean;
  /** Processor priority, for arbitration. */
  readonly priority: number;
  /** Takes a message; `level` is its trigger mode. */
  accept(mode: Delivery, vector: number, level: boolean): void;
}

/** Hears that a level-triggered vector was ended. */
export interface EoiListener {
  endOfInterrupt(vector: number): void;
}

const MSI_BASE = 0xfee;

/**
 * Carries interrupt messages between local APICs, I/O APICs and devices. It holds no state: of several candidates for a
 * lowest-priority message, the first with the lowest processor priority gets it.
 */
export class ApicBus implements MsiSink {
  private readonly targets: ApicTarget[] = [];
  private readonly listeners: EoiListener[] = [];

  attach(target: ApicTarget): void {
    this.targets.push(target);
  }

  listen(listener: EoiListener): void {
    this.listeners.push(listener);
  }

  /**
   * Sends one message.
   * @param wide `destination` has 32 bits (x2APIC) instead of 8
   * @returns whether any APIC matched
   */
  deliver(
    destination: number,
    logical: boolean,
    wide: boolean,
    mode: Delivery,
    vector: number,
    level: boolean,
  ): boolean {
    if (mode === Delivery.LowestPriority) return this.arbitrate(destination, logical, wide, vector, level);
    let matched = false;
    for (const target of this.targets) {
      if (!target.present || !matchesDestination(target.address, destination, logical, wide)) continue;
      matched = true;
      target.accept(mode, vector, level);
    }
    return matched;
  }

  /** Sends to every APIC, with or without the sender. */
  broadcast(sender: ApicTarget, includingSender: boolean, mode: Delivery, vector: number, level: boolean): void {
    for (const target of this.targets) {
      if (target.present && (includingSender || target !== sender)) target.accept(mode, vector, level);
    }
  }

  /** A message-signalled interrupt: a write to 0xFEExxxxx (SDM 3A "Message Signalled Interrupts"). */
  signal(address: number, data: number): void {
    if (address > 0xffff_ffff || address >>> 20 !== MSI_BASE) return;
    const destination = (address >>> 12) & 0xff;
    const redirectionHint = (address & 8) !== 0;
    const logical = (address & 4) !== 0;
    const mode: Delivery = (data >>> 8) & 7;
    const level = (data & 0x8000) !== 0;
    const chosen = redirectionHint && logical && mode === Delivery.Fixed ? Delivery.LowestPriority : mode;
    this.deliver(destination, logical, false, chosen, data & 0xff, level);
  }

  endOfInterrupt(vector: number): void {
    for (const listener of this.listeners) listener.endOfInterrupt(vector);
  }

  private arbitrate(destination: number, logical: boolean, wide: boolean, vector: number, level: boolean): boolean {
    let best: ApicTarget | null = null;
    for (const target of this.targets) {
      if (!target.present || !target.enabled) continue;
      if (!matchesDestination(target.address, destination, logical, wide)) continue;
      if (best === null || target.priority < best.priority) best = target;
    }
    if (best === null) return false;
    best.accept(Delivery.Fixed, vector, level);
    return true;
  }
}
