// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { CONTEXT_SIZE, ENDPOINTS, EndpointPhase, SlotPhase } from "./registers.js";
import { type EndpointState, endpointState } from "./state.js";

const SLOT_PHASE_SHIFT = 27;
const ENTRIES_SHIFT = 27;
const DEQUEUE_MASK = ~0xf;

/** A slot or endpoint context as eight dwords (6.2.2, 6.2.3). */
export type Context = number[];

/** Reads a context; null if it is not in RAM. */
export function readContext(ram: GuestRam, address: number): Context | null {
  if (ram.offsetOf(address, CONTEXT_SIZE) < 0) return null;
  return Array.from({ length: CONTEXT_SIZE / 4 }, (_, i) => ram.u32(address + 4 * i));
}

export function writeContext(ram: GuestRam, address: number, context: Context): void {
  context.forEach((dword, i) => ram.setU32(address + 4 * i, dword >>> 0));
}

/** Which contexts an input context drops and adds, a bit for each (6.2.5.1), and where they are. */
export interface InputContext {
  readonly drop: number;
  readonly add: number;
  /** Address of the slot context; endpoint contexts follow. */
  readonly contexts: number;
}

/** Reads the control part of an input context; null if the whole is not in RAM. */
export function readInput(ram: GuestRam, address: number): InputContext | null {
  if (ram.offsetOf(address, CONTEXT_SIZE * (ENDPOINTS + 1)) < 0) return null;
  return { drop: ram.u32(address), add: ram.u32(address + 4), contexts: address + CONTEXT_SIZE };
}

export interface SlotContext {
  readonly route: number;
  /** Number of the port of the root hub. */
  readonly port: number;
  readonly entries: number;
}

export function parseSlot(context: Context): SlotContext {
  return { route: context[0] & 0xf_ffff, port: (context[1] >>> 16) & 0xff, entries: context[0] >>> ENTRIES_SHIFT };
}

/** The same with another state and device address. */
export function slotWith(context: Context, phase: SlotPhase, address: number): Context {
  const state = phase === SlotPhase.Enabled ? SlotPhase.Disabled : phase;
  return [...context.slice(0, 3), ((state << SLOT_PHASE_SHIFT) | address) >>> 0, ...context.slice(4)];
}

/** The same with another number of the last valid endpoint context. */
export function slotWithEntries(context: Context, entries: number): Context {
  return [((context[0] & 0x07ff_ffff) | (entries << ENTRIES_SHIFT)) >>> 0, ...context.slice(1)];
}

/** An endpoint begins to run as its context says. */
export function endpointFrom(context: Context): EndpointState {
  const dequeue = context[3] * 2 ** 32 + ((context[2] & DEQUEUE_MASK) >>> 0);
  return endpointState(dequeue, (context[2] & 1) !== 0, context[1] >>> 16);
}

/** What the guest sees of an endpoint: its state and where its ring is. */
export function endpointWith(context: Context, endpoint: EndpointState): Context {
  const { phase, ring } = endpoint;
  const low = ((ring.address % 2 ** 32) | (ring.cycle ? 1 : 0)) >>> 0;
  return [((context[0] & ~7) | phase) >>> 0, context[1], low, Math.floor(ring.address / 2 ** 32), ...context.slice(4)];
}

/** The same without an endpoint. */
export function disabledEndpoint(context: Context): Context {
  return [((context[0] & ~7) | EndpointPhase.Disabled) >>> 0, ...context.slice(1)];
}
