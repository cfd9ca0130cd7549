// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { MAX_TRANSFER, NAK, STALL, type UsbDevice } from "../usb/device.js";
import { parseSetup, RequestType } from "../usb/setup-packet.js";
import type { XhciEvent } from "./interrupter.js";
import { CHUNK_COST, Completion, CONTROL_ENDPOINT, EndpointPhase, TrbBit, TrbType } from "./registers.js";
import type { EndpointState } from "./state.js";
import { lengthOf, TransferDescriptor } from "./transfer-descriptor.js";
import { type Trb, typeOf } from "./trb.js";

/** One endpoint with what belongs to it, for as long as it is served. */
export interface EndpointContext {
  readonly slot: number;
  /** Device context index: twice the endpoint's number, and one more towards the host. */
  readonly index: number;
  readonly state: EndpointState;
  readonly device: UsbDevice;
}

export interface TransferPorts {
  readonly ram: GuestRam;
  /** Puts an event into the ring of an interrupter. */
  post(interrupter: number, event: XhciEvent): void;
  /** An endpoint has left the running state: its context has to say so. */
  phaseChanged(endpoint: EndpointContext): void;
}

/** Work that may still be done before the guest goes on. */
export interface Budget {
  left: number;
}

/** Of a transfer event: it comes from an event data block. */
const EVENT_DATA = 1 << 2;
const INTERRUPTER_SHIFT = 22;

/** Moves data between the devices and the guest's transfer rings (4.10, 4.11). */
export class Transfers {
  private readonly scratch = new Uint8Array(MAX_TRANSFER);

  constructor(private readonly ports: TransferPorts) {}

  /**
   * Works on the descriptor at the position of an endpoint's ring.
   * @returns whether there may be more to do: not if the ring is empty, the device waits or the endpoint has stopped
   */
  step(endpoint: EndpointContext, budget: Budget): boolean {
    const { state } = endpoint;
    const td = TransferDescriptor.read(this.ports.ram, state.ring);
    budget.left--;
    if (td === "empty") return false;
    if (td === "broken") return this.breakRing(endpoint);
    budget.left -= td.blocks.length;
    if (endpoint.index === CONTROL_ENDPOINT) return this.controlStage(endpoint, td);
    switch (typeOf(td.first)) {
      case TrbType.Normal:
      case TrbType.Isochronous:
      case TrbType.EventData:
        return this.move(endpoint, td, budget);
      case TrbType.NoOp:
        return this.complete(endpoint, td, 0);
      default:
        return this.fail(endpoint, td, Completion.TrbError);
    }
  }

  /** Says how far the descriptor under way has come; nothing if there is none. */
  reportStop(endpoint: EndpointContext): void {
    const { state } = endpoint;
    const td = TransferDescriptor.read(this.ports.ram, state.ring);
    if (td === "empty" || td === "broken") return;
    const { trb, left } = td.blockAt(state.done);
    this.event(endpoint, trb, { code: Completion.Stopped, length: left });
  }

  private move(endpoint: EndpointContext, td: TransferDescriptor, budget: Budget): boolean {
    const { state } = endpoint;
    while (state.done < td.length) {
      if (budget.left <= 0) return true;
      budget.left -= CHUNK_COST;
      const towardsHost = (endpoint.index & 1) !== 0;
      const piece = this.scratch.subarray(0, Math.min(td.length - state.done, MAX_TRANSFER));
      const count = towardsHost ? this.takeIn(endpoint, td, piece) : this.giveOut(endpoint, td, piece);
      if (count === NAK) return false;
      if (count === STALL) return this.fail(endpoint, td, Completion.Stall);
      if (count < NAK) return this.fail(endpoint, td, Completion.DataBuffer);
      state.done += count;
      // A packet that is not full ends the transfer (USB 2.0, 5.3.2).
      if (towardsHost && count < piece.length && (count === 0 || count % state.maxPacket !== 0)) break;
    }
    return this.complete(endpoint, td, state.done);
  }

  /** Bytes that the device has given; {@link NO_MEMORY} if the guest's buffers are not in RAM. */
  private takeIn({ device, index, state }: EndpointContext, td: TransferDescriptor, piece: Uint8Array): number {
    const count = device.transferIn(index >> 1, piece);
    if (count <= 0) return count;
    return td.write(this.ports.ram, state.done, piece.subarray(0, count)) ? count : NO_MEMORY;
  }

  private giveOut({ device, index, state }: EndpointContext, td: TransferDescriptor, piece: Uint8Array): number {
    if (!td.read(this.ports.ram, state.done, piece)) return NO_MEMORY;
    const count = device.transferOut(index >> 1, piece);
    return count === 0 ? NAK : count;
  }

  /** One stage of a control transfer (4.11.2.2). The device is asked at the data stage if it sends, else at the end. */
  private controlStage(endpoint: EndpointContext, td: TransferDescriptor): boolean {
    const { state } = endpoint;
    const { first } = td;
    switch (typeOf(first)) {
      case TrbType.Setup:
        state.setup = [first.low, first.high];
        state.answered = false;
        state.data = [];
        return this.complete(endpoint, td, 0);
      case TrbType.Data:
        return this.dataStage(endpoint, td);
      case TrbType.Status:
        return this.statusStage(endpoint, td);
      case TrbType.NoOp:
      case TrbType.EventData:
        return this.complete(endpoint, td, 0);
      default:
        return this.fail(endpoint, td, Completion.TrbError);
    }
  }

  private dataStage(endpoint: EndpointContext, td: TransferDescriptor): boolean {
    const { state, device } = endpoint;
    if (state.setup === null || state.answered) return this.fail(endpoint, td, Completion.TrbError);
    const setup = parseSetup(...state.setup);
    const towardsHost = (td.first.control & TrbBit.DirectionIn) !== 0;
    if (towardsHost !== ((setup.requestType & RequestType.ToHost) !== 0))
      return this.fail(endpoint, td, Completion.TrbError);
    const bytes = new Uint8Array(Math.min(setup.length, td.length));
    if (!towardsHost) {
      if (!td.read(this.ports.ram, 0, bytes)) return this.fail(endpoint, td, Completion.DataBuffer);
      state.data = [...bytes];
      return this.complete(endpoint, td, td.length);
    }
    const count = device.control(setup, bytes);
    if (count < 0) return this.fail(endpoint, td, Completion.Stall);
    state.answered = true;
    if (!td.write(this.ports.ram, 0, bytes.subarray(0, count))) return this.fail(endpoint, td, Completion.DataBuffer);
    return this.complete(endpoint, td, count);
  }

  private statusStage(endpoint: EndpointContext, td: TransferDescriptor): boolean {
    const { state, device } = endpoint;
    if (state.setup === null) return this.fail(endpoint, td, Completion.TrbError);
    const setup = parseSetup(...state.setup);
    const { answered } = state;
    const data = Uint8Array.from(state.data);
    state.setup = null;
    state.data = [];
    if (!answered && device.control(setup, data) < 0) return this.fail(endpoint, td, Completion.Stall);
    return this.complete(endpoint, td, 0);
  }

  /** Goes on behind a descriptor of which `done` bytes were moved, after the events that it asked for. */
  private complete(endpoint: EndpointContext, td: TransferDescriptor, done: number): boolean {
    let left = done;
    let sinceEvent = 0;
    let short = false;
    for (const trb of td.blocks) {
      const wanted = (trb.control & TrbBit.InterruptOnCompletion) !== 0;
      if (typeOf(trb) === TrbType.EventData) {
        const code = short ? Completion.ShortPacket : Completion.Success;
        if (wanted) this.event(endpoint, trb, { code, length: sinceEvent, fromData: true });
        sinceEvent = 0;
        continue;
      }
      // What follows a short packet was skipped (4.10.1.1).
      if (short) continue;
      const length = lengthOf(trb);
      const moved = Math.min(length, left);
      left -= moved;
      sinceEvent += moved;
      short = moved < length;
      if (short && (wanted || (trb.control & TrbBit.InterruptOnShort) !== 0))
        this.event(endpoint, trb, { code: Completion.ShortPacket, length: length - moved });
      else if (!short && wanted) this.event(endpoint, trb, { code: Completion.Success, length: 0 });
    }
    endpoint.state.ring = td.next;
    endpoint.state.done = 0;
    return true;
  }

  /** Stops an endpoint at a descriptor, which is told whether or not it asked for events. */
  private fail(endpoint: EndpointContext, td: TransferDescriptor, code: Completion): false {
    const { state } = endpoint;
    const { trb, left } = td.blockAt(state.done);
    state.phase = code === Completion.TrbError ? EndpointPhase.Error : EndpointPhase.Halted;
    state.done = 0;
    this.ports.phaseChanged(endpoint);
    this.event(endpoint, trb, { code, length: left });
    return false;
  }

  private breakRing(endpoint: EndpointContext): false {
    const { state } = endpoint;
    state.phase = EndpointPhase.Error;
    this.ports.phaseChanged(endpoint);
    const at: Trb = { address: state.ring.address, low: 0, high: 0, status: 0, control: 0 };
    this.event(endpoint, at, { code: Completion.TrbError, length: 0 });
    return false;
  }

  private event(
    { slot, index }: EndpointContext,
    trb: Trb,
    {
      code,
      length,
      fromData = false,
    }: { readonly code: Completion; readonly length: number; readonly fromData?: boolean },
  ): void {
    this.ports.post(trb.status >>> INTERRUPTER_SHIFT, {
      type: TrbType.TransferEvent,
      code,
      low: fromData ? trb.low : trb.address % 2 ** 32,
      high: fromData ? trb.high : Math.floor(trb.address / 2 ** 32),
      length,
      control: ((slot << 24) | (index << 16) | (fromData ? EVENT_DATA : 0)) >>> 0,
      silent: (trb.control & TrbBit.BlockInterrupt) !== 0,
    });
  }
}

/** In place of a count: the guest's buffer is not in RAM. */
const NO_MEMORY = -3;
