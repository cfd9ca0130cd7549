// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import {
  endpointFrom,
  type InputContext,
  parseSlot,
  readContext,
  readInput,
  slotWith,
  writeContext,
} from "./contexts.js";
import type { Port } from "./port.js";
import {
  Completion,
  CONTEXT_SIZE,
  CONTROL_ENDPOINT,
  ENDPOINTS,
  EndpointPhase,
  PORTS,
  SlotPhase,
  TrbType,
} from "./registers.js";
import type { Slots } from "./slots.js";
import { parameterOf, type Trb, typeOf } from "./trb.js";
import type { SlotState } from "./state.js";

/** What commands act on. */
export interface CommandTarget {
  readonly ram: GuestRam;
  readonly slots: Slots;
  /** By number less one. */
  readonly ports: readonly Port[];
  /** Slots that the guest has allowed. */
  readonly allowedSlots: number;
  /** Address of the array of device context addresses. */
  readonly contextArray: number;
  /** Tells the guest where an endpoint that was running has stopped. */
  stopped(slot: number, index: number): void;
}

export interface CommandResult {
  readonly code: Completion;
  /** The slot that the command was about. */
  readonly slot: number;
}

const BLOCK_SET_ADDRESS = 1 << 9;
const DECONFIGURE = 1 << 9;
/** A0 and A1: slot and control endpoint. */
const SLOT_AND_CONTROL = 3;
/** Of the bandwidth, free for periodic transfers: 80 percent, as everything else would be a guess (4.6.15). */
const FREE_BANDWIDTH = 80;

/** Carries out a command (4.6), and says what its completion event says. */
export function executeCommand(trb: Trb, target: CommandTarget): CommandResult {
  const number = trb.control >>> 24;
  const type = typeOf(trb);
  if (type === TrbType.NoOpCommand) return { code: Completion.Success, slot: 0 };
  if (type === TrbType.EnableSlot) {
    const slot = target.slots.enable(target.allowedSlots);
    return { code: slot === 0 ? Completion.NoSlots : Completion.Success, slot };
  }
  if (type === TrbType.GetPortBandwidth) return { code: portBandwidth(trb, target), slot: number };
  const slot = target.slots.get(number);
  if (slot === null)
    return { code: isSlotCommand(type) ? Completion.SlotNotEnabled : Completion.TrbError, slot: number };
  return { code: slotCommand(type, trb, number, slot, target), slot: number };
}

function isSlotCommand(type: TrbType): boolean {
  return type >= TrbType.DisableSlot && type <= TrbType.ResetDevice;
}

function slotCommand(type: TrbType, trb: Trb, number: number, slot: SlotState, target: CommandTarget): Completion {
  switch (type) {
    case TrbType.DisableSlot:
      target.slots.disable(number);
      return Completion.Success;
    case TrbType.AddressDevice:
      return addressDevice(trb, number, slot, target);
    case TrbType.ConfigureEndpoint:
      return configureEndpoints(trb, number, slot, target);
    case TrbType.EvaluateContext:
      return evaluateContext(trb, slot, target);
    case TrbType.ResetDevice:
      return resetDevice(number, slot, target);
    case TrbType.ResetEndpoint:
    case TrbType.StopEndpoint:
    case TrbType.SetDequeue:
      return endpointCommand(type, trb, number, slot, target);
    default:
      return Completion.TrbError;
  }
}

function inputOf(trb: Trb, { ram }: CommandTarget): InputContext | null {
  return readInput(ram, parameterOf(trb) - (trb.low % 16));
}

/** Gives the device of a port an address, or only a context with which to ask it for one (4.6.5). */
function addressDevice(trb: Trb, number: number, slot: SlotState, target: CommandTarget): Completion {
  const { ram, slots, ports } = target;
  const keepDefault = (trb.control & BLOCK_SET_ADDRESS) !== 0;
  if (slot.phase !== SlotPhase.Enabled && (keepDefault || slot.phase !== SlotPhase.Default))
    return Completion.ContextState;
  const input = inputOf(trb, target);
  const pointer = target.contextArray + 8 * number;
  if (input === null || ram.offsetOf(pointer, 8) < 0) return Completion.ParameterError;
  if (input.drop !== 0 || input.add !== SLOT_AND_CONTROL) return Completion.TrbError;
  const slotContext = readContext(ram, input.contexts);
  const controlContext = readContext(ram, input.contexts + CONTEXT_SIZE);
  const context = ram.u32(pointer + 4) * 2 ** 32 + ((ram.u32(pointer) & ~0x3f) >>> 0);
  if (slotContext === null || controlContext === null) return Completion.ParameterError;
  if (context === 0 || ram.offsetOf(context, CONTEXT_SIZE * ENDPOINTS) < 0) return Completion.ParameterError;
  const { route, port } = parseSlot(slotContext);
  if (port === 0 || port > PORTS) return Completion.ParameterError;
  const device = ports[port - 1].device;
  // No hubs: there is nobody but on the ports themselves.
  if (route !== 0 || device === null) return Completion.TransactionError;
  const owner = slots.ofPort(port);
  if (owner !== 0 && owner !== number) return Completion.TrbError;
  const phase = keepDefault ? SlotPhase.Default : SlotPhase.Addressed;
  slot.context = context;
  slot.port = port;
  slot.phase = phase;
  writeContext(ram, context, slotWith(slotContext, phase, keepDefault ? 0 : number));
  writeContext(ram, context + CONTEXT_SIZE, controlContext);
  slots.setEndpoint(slot, CONTROL_ENDPOINT, endpointFrom(controlContext));
  if (!keepDefault)
    device.control({ requestType: 0, request: 5, value: number, index: 0, length: 0 }, new Uint8Array());
  return Completion.Success;
}

/** Drops and adds endpoints, or drops all but that for control (4.6.6). */
function configureEndpoints(trb: Trb, number: number, slot: SlotState, target: CommandTarget): Completion {
  const { ram, slots } = target;
  if (slot.phase !== SlotPhase.Addressed && slot.phase !== SlotPhase.Configured) return Completion.ContextState;
  if ((trb.control & DECONFIGURE) !== 0) {
    slots.dropEndpoints(slot, CONTROL_ENDPOINT + 1);
    slots.setEntries(slot, 1);
    slots.setPhase(number, slot, SlotPhase.Addressed);
    return Completion.Success;
  }
  const input = inputOf(trb, target);
  if (input === null) return Completion.ParameterError;
  if ((input.drop & SLOT_AND_CONTROL) !== 0 || (input.add & SLOT_AND_CONTROL) !== 1) return Completion.TrbError;
  const slotContext = readContext(ram, input.contexts);
  if (slotContext === null) return Completion.ParameterError;
  for (let index = CONTROL_ENDPOINT + 1; index < ENDPOINTS; index++) {
    const bit = 1 << index;
    if (((input.drop | input.add) & bit) !== 0) slots.dropEndpoint(slot, index);
    if ((input.add & bit) === 0) continue;
    const context = readContext(ram, input.contexts + CONTEXT_SIZE * index);
    if (context === null) return Completion.ParameterError;
    writeContext(ram, slot.context + CONTEXT_SIZE * index, context);
    slots.setEndpoint(slot, index, endpointFrom(context));
  }
  slots.setEntries(slot, parseSlot(slotContext).entries);
  const configured = Object.keys(slot.endpoints).some((index) => Number(index) > CONTROL_ENDPOINT);
  slots.setPhase(number, slot, configured ? SlotPhase.Configured : SlotPhase.Addressed);
  return Completion.Success;
}

/** Takes over latency and interrupter of the slot, and the packet size of the control endpoint (4.6.7). */
function evaluateContext(trb: Trb, slot: SlotState, target: CommandTarget): Completion {
  const { ram, slots } = target;
  if (slot.phase === SlotPhase.Enabled) return Completion.ContextState;
  const input = inputOf(trb, target);
  if (input === null) return Completion.ParameterError;
  if (input.drop !== 0 || (input.add & ~SLOT_AND_CONTROL) !== 0) return Completion.TrbError;
  const output = readContext(ram, slot.context);
  const given = readContext(ram, input.contexts);
  if (output !== null && given !== null && (input.add & 1) !== 0) {
    output[1] = (output[1] & 0xffff_0000) | (given[1] & 0xffff);
    output[2] = (output[2] & 0x003f_ffff) | (given[2] & 0xffc0_0000);
    writeContext(ram, slot.context, output);
  }
  const control = slot.endpoints[String(CONTROL_ENDPOINT)];
  const controlOutput = readContext(ram, slot.context + CONTEXT_SIZE);
  const controlGiven = readContext(ram, input.contexts + CONTEXT_SIZE);
  if (controlOutput === null || controlGiven === null || (input.add & 2) === 0) return Completion.Success;
  controlOutput[1] = (controlOutput[1] & 0xffff) | (controlGiven[1] & 0xffff_0000);
  writeContext(ram, slot.context + CONTEXT_SIZE, controlOutput);
  if (control !== undefined) control.maxPacket = controlGiven[1] >>> 16;
  slots.show(slot, CONTROL_ENDPOINT);
  return Completion.Success;
}

/** The slot forgets all but its control endpoint, as the device did when its port was reset (4.6.11). */
function resetDevice(number: number, slot: SlotState, { slots }: CommandTarget): Completion {
  if (slot.phase !== SlotPhase.Addressed && slot.phase !== SlotPhase.Configured) return Completion.ContextState;
  slots.dropEndpoints(slot, CONTROL_ENDPOINT + 1);
  slots.setEntries(slot, 1);
  slots.setPhase(number, slot, SlotPhase.Default);
  return Completion.Success;
}

function endpointCommand(type: TrbType, trb: Trb, number: number, slot: SlotState, target: CommandTarget): Completion {
  const index = (trb.control >>> 16) & 0x1f;
  if (index < CONTROL_ENDPOINT) return Completion.TrbError;
  const endpoint = slot.endpoints[String(index)];
  if (endpoint === undefined) return Completion.EndpointNotEnabled;
  switch (type) {
    case TrbType.ResetEndpoint:
      if (endpoint.phase !== EndpointPhase.Halted) return Completion.ContextState;
      break;
    case TrbType.StopEndpoint:
      if (endpoint.phase !== EndpointPhase.Running) return Completion.ContextState;
      target.stopped(number, index);
      break;
    default: {
      if (endpoint.phase !== EndpointPhase.Stopped && endpoint.phase !== EndpointPhase.Error)
        return Completion.ContextState;
      endpoint.ring = { address: parameterOf(trb) - (trb.low % 16), cycle: (trb.low & 1) !== 0 };
      endpoint.done = 0;
      endpoint.setup = null;
      endpoint.data = [];
    }
  }
  endpoint.phase = EndpointPhase.Stopped;
  target.slots.show(slot, index);
  return Completion.Success;
}

function portBandwidth(trb: Trb, { ram }: CommandTarget): Completion {
  const bytes = new Uint8Array(PORTS + 1).fill(FREE_BANDWIDTH);
  bytes[0] = 0;
  return ram.write(parameterOf(trb) - (trb.low % 16), bytes) ? Completion.Success : Completion.ParameterError;
}
