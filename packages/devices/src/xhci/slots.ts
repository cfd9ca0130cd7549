// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { copyState } from "../device.js";
import { disabledEndpoint, endpointWith, readContext, slotWith, slotWithEntries, writeContext } from "./contexts.js";
import { CONTEXT_SIZE, ENDPOINTS, SlotPhase, SLOTS } from "./registers.js";
import { type EndpointState, type SlotState, slotResetState } from "./state.js";

/** Device slots (4.5), by number from 1, and their contexts in guest memory. */
export class Slots {
  private slots: SlotState[] = [];

  constructor(private readonly ram: GuestRam) {
    this.reset();
  }

  reset(): void {
    this.slots = Array.from({ length: SLOTS }, () => slotResetState());
  }

  save(): SlotState[] {
    return copyState(this.slots);
  }

  restore(slots: readonly SlotState[]): void {
    this.slots = Array.from({ length: SLOTS }, (_, i) => copyState(slots[i] ?? slotResetState()));
  }

  /** A slot that is enabled, or null. */
  get(number: number): SlotState | null {
    const slot = this.slots[number - 1];
    return slot === undefined || slot.phase === SlotPhase.Disabled ? null : slot;
  }

  endpoint(number: number, index: number): EndpointState | null {
    return this.get(number)?.endpoints[String(index)] ?? null;
  }

  /** Enables a free slot of the first `allowed`; returns its number, or 0. */
  enable(allowed: number): number {
    const at = this.slots.findIndex(({ phase }) => phase === SlotPhase.Disabled);
    if (at < 0 || at >= allowed) return 0;
    this.slots[at] = { ...slotResetState(), phase: SlotPhase.Enabled };
    return at + 1;
  }

  disable(number: number): void {
    const slot = this.get(number);
    if (slot === null) return;
    this.dropEndpoints(slot, 1);
    this.setPhase(number, slot, SlotPhase.Disabled);
    this.slots[number - 1] = slotResetState();
  }

  /** Number of the slot that a device on `port` has, or 0. */
  ofPort(port: number): number {
    return this.slots.findIndex((slot) => slot.phase !== SlotPhase.Disabled && slot.port === port) + 1;
  }

  /** Changes the state, here and in the slot context. */
  setPhase(number: number, slot: SlotState, phase: SlotPhase): void {
    slot.phase = phase;
    if (slot.context === 0) return;
    const context = readContext(this.ram, slot.context);
    const address = phase === SlotPhase.Addressed || phase === SlotPhase.Configured ? number : 0;
    if (context !== null) writeContext(this.ram, slot.context, slotWith(context, phase, address));
  }

  /** Writes how many contexts are valid. */
  setEntries(slot: SlotState, entries: number): void {
    const context = readContext(this.ram, slot.context);
    if (context !== null) writeContext(this.ram, slot.context, slotWithEntries(context, entries));
  }

  /** Shows the guest an endpoint's state and where its ring is. */
  show(slot: SlotState, index: number): void {
    const endpoint = slot.endpoints[String(index)];
    const at = slot.context + CONTEXT_SIZE * index;
    const context = readContext(this.ram, at);
    if (context === null || slot.context === 0) return;
    writeContext(this.ram, at, endpoint === undefined ? disabledEndpoint(context) : endpointWith(context, endpoint));
  }

  setEndpoint(slot: SlotState, index: number, endpoint: EndpointState): void {
    slot.endpoints[String(index)] = endpoint;
    this.show(slot, index);
  }

  dropEndpoint(slot: SlotState, index: number): void {
    if (slot.endpoints[String(index)] === undefined) return;
    delete slot.endpoints[String(index)];
    this.show(slot, index);
  }

  /** Drops all endpoints from `first` on. */
  dropEndpoints(slot: SlotState, first: number): void {
    for (let index = first; index < ENDPOINTS; index++) this.dropEndpoint(slot, index);
  }
}
