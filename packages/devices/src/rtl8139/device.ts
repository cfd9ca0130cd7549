// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine } from "@isola/memory";
import type { NetFrame, NetLink, NetOffload, NetPort, Timer, Timers } from "@isola/ports";
import { checkState, copyState, type Device } from "../device.js";
import { netCounts } from "../network-card.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { eepromWords, readEeprom, writeEeprom } from "./eeprom.js";
import { Receiver, ringFilled } from "./receiver.js";
import {
  Cause,
  CAUSES,
  CHIP_VERSION,
  Command,
  DESCRIPTORS,
  DEVICE_RTL8139,
  Eeprom,
  ETHERNET_CLASS,
  LOCKED_RANGES,
  LOOPBACK,
  MIN_TIMER_NS,
  PHY_CONTROL_WRITABLE,
  PlusCommand,
  Poll,
  REALTEK_VENDOR,
  Reg,
  REGISTER_BYTES,
  RETRY_NS,
  REVISION,
  TALLY_BYTES,
  TALLY_COMMAND,
  TIMER_NS,
  TRANSMIT_CONFIG_WRITABLE,
  TransmitStatus,
  WRITABLE_RANGES,
} from "./registers.js";
import { dwordAt, type Rtl8139State, rtl8139State, wordAt } from "./state.js";
import { Transmitter } from "./transmitter.js";

export interface Rtl8139Options {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  readonly intx: IrqLine;
  readonly timers: Timers;
  readonly link: NetLink;
  /** Six bytes, unicast. */
  readonly mac: readonly number[];
  readonly name?: string;
}

const NO_OFFLOAD: NetOffload = { checksum: false, tcp4: false, tcp6: false };

function writableMask(ranges: typeof WRITABLE_RANGES): Uint8Array {
  const mask = new Uint8Array(REGISTER_BYTES);
  for (const [start, length, bits] of ranges) mask.fill(bits, start, start + length);
  return mask;
}

const PLAIN_MASK = writableMask(WRITABLE_RANGES);
const LOCKED_MASK = writableMask(LOCKED_RANGES);

/** A Realtek RTL8139C+ network card with its interrupt pin. `pci` goes into a slot of the `PciHost`. */
export class Rtl8139 implements Device<Rtl8139State>, NetPort {
  readonly offload = NO_OFFLOAD;
  readonly pci: PciFunction;
  readonly counts = netCounts();
  /** BAR 0, ports, and BAR 1, memory: the same registers. */
  readonly handler: IoHandler = {
    read: (offset, size) => this.read(offset, size),
    write: (offset, size, value) => this.write(offset, size, value),
  };
  private readonly mac: readonly number[];
  private readonly eeprom: readonly number[];
  private s: Rtl8139State;
  private readonly transmitter: Transmitter;
  private readonly receiver: Receiver;
  private readonly timer: Timer;
  private readonly retry: Timer;

  constructor(private readonly options: Rtl8139Options) {
    const { spaces, ram, link, timers, name } = options;
    this.mac = [...options.mac];
    this.eeprom = eepromWords(this.mac);
    this.pci = new PciFunction(spaces, {
      vendorId: REALTEK_VENDOR,
      deviceId: DEVICE_RTL8139,
      revision: REVISION,
      classCode: ETHERNET_CLASS,
      subsystemVendorId: REALTEK_VENDOR,
      subsystemId: DEVICE_RTL8139,
      ...(name !== undefined && { name }),
    });
    this.pci.addBar({ index: 0, kind: "io", size: REGISTER_BYTES, handler: this.handler });
    this.pci.addBar({ index: 1, kind: "memory32", size: REGISTER_BYTES, handler: this.handler });
    this.pci.connectPin(1, options.intx);
    this.pci.seal();
    this.s = rtl8139State(this.pci.save(), this.mac, timers.now());
    const shared = { state: () => this.s, ram, counts: this.counts, mayMaster: () => this.pci.busMaster };
    this.receiver = new Receiver(shared);
    const loopback = {
      // A card that talks to itself has nobody whom it could keep waiting.
      receive: (frame: NetFrame) => this.receiver.receive(frame) || true,
      flush: () => this.flush(),
    };
    this.transmitter = new Transmitter(shared, () =>
      (this.s.transmitConfig & LOOPBACK) === LOOPBACK ? loopback : link,
    );
    this.timer = timers.create((deadline) => this.onTimer(deadline));
    this.retry = timers.create(() => this.buffersGiven());
    link.connect(this);
  }

  reset(): void {
    this.pci.reset();
    this.resetCard(this.mac);
  }

  save(): Rtl8139State {
    return { ...copyState(this.s), pci: this.pci.save(), partial: this.transmitter.packet.save() };
  }

  restore(state: Rtl8139State): void {
    checkState(state, "rtl8139", 1);
    this.s = copyState(state);
    this.pci.restore(state.pci);
    this.transmitter.packet.restore(state.partial);
    if (state.timerDeadline >= 0) this.timer.set(state.timerDeadline);
    else this.timer.cancel();
    if (state.retryAt >= 0) this.retry.set(state.retryAt);
    else this.retry.cancel();
  }

  receive(frame: NetFrame): boolean {
    const taken = this.receiver.receive(frame);
    const { s } = this;
    if (!taken && (s.plusCommand & PlusCommand.Receive) !== 0 && s.retryAt < 0) {
      s.retryAt = this.options.timers.now() + RETRY_NS;
      this.retry.set(s.retryAt);
    }
    return taken;
  }

  flush(): void {
    this.raise(this.receiver.takeCauses());
  }

  ready(): void {
    this.raise(this.transmitter.run());
  }

  private resetCard(mac: readonly number[]): void {
    const { waiting } = this.s;
    this.s = rtl8139State(this.s.pci, mac, this.options.timers.now());
    this.transmitter.packet.clear();
    this.receiver.takeCauses();
    this.timer.cancel();
    this.retry.cancel();
    this.pci.setIntx(false);
    if (waiting) this.options.link.ready();
  }

  private raise(causes: number): void {
    this.s.cause |= causes;
    this.drivePin();
  }

  private drivePin(): void {
    this.pci.setIntx((this.s.cause & this.s.mask) !== 0);
  }

  /** Lets the network try again, if it is held up. */
  private buffersGiven(): void {
    const { s } = this;
    this.retry.cancel();
    s.retryAt = -1;
    if (!s.waiting) return;
    s.waiting = false;
    this.options.link.ready();
  }

  private onTimer(deadline: number): void {
    this.s.timerDeadline = -1;
    this.raise(Cause.Timer);
    this.startTimer(deadline + MIN_TIMER_NS);
  }

  /** The timer goes round in 129 s, and interrupts whenever it comes to the number that the driver has given. */
  private startTimer(earliest: number): void {
    const { s } = this;
    const target = dwordAt(s, Reg.TimerInterrupt);
    s.timerDeadline = -1;
    this.timer.cancel();
    if (target === 0) return;
    const round = 2 ** 32 * TIMER_NS;
    const first = s.timerStart + target * TIMER_NS;
    const rounds = Math.max(Math.ceil((earliest - first) / round), 0);
    s.timerDeadline = Math.ceil(first + rounds * round);
    this.timer.set(s.timerDeadline);
  }

  /** Registers of any width begin anywhere; each byte of one is a byte of it. */
  private read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = (value << 8) | this.readByte(offset + i);
    return value >>> 0;
  }

  private readByte(offset: number): number {
    const { s } = this;
    const part = (register: number, value: number): number => (value >>> (8 * (offset - register))) & 0xff;
    if (offset >= Reg.TransmitStatus && offset < Reg.TransmitStatus + 4 * DESCRIPTORS)
      return part(offset & ~3, s.transmitStatus[(offset - Reg.TransmitStatus) >> 2]);
    switch (offset) {
      case Reg.Command:
        return s.command | (ringFilled(s) === 0 ? Command.BufferEmpty : 0);
      case Reg.WritePointer:
      case Reg.WritePointer + 1:
        return part(Reg.WritePointer, s.writePointer);
      case Reg.InterruptMask:
      case Reg.InterruptMask + 1:
        return part(Reg.InterruptMask, s.mask);
      case Reg.InterruptStatus:
      case Reg.InterruptStatus + 1:
        return part(Reg.InterruptStatus, s.cause);
      case Reg.EepromCommand:
        return s.eepromMode | (s.eepromMode === Eeprom.Program ? readEeprom(s.eeprom) : 0);
      case Reg.TransmitSummary:
      case Reg.TransmitSummary + 1:
        return part(Reg.TransmitSummary, this.transmitSummary());
      case Reg.PlusCommand:
      case Reg.PlusCommand + 1:
        return part(Reg.PlusCommand, s.plusCommand);
      default:
        if (offset >= Reg.TransmitConfig && offset < Reg.TransmitConfig + 4)
          return part(Reg.TransmitConfig, (CHIP_VERSION | s.transmitConfig) >>> 0);
        if (offset >= Reg.TimerCount && offset < Reg.TimerCount + 4) return part(Reg.TimerCount, this.timerCount());
        return s.bytes[offset] ?? 0;
    }
  }

  private timerCount(): number {
    return Math.floor((this.options.timers.now() - this.s.timerStart) / TIMER_NS) % 2 ** 32;
  }

  /** Own and OK bits of all descriptors, OWN0 in bit 0 and TOK0 in bit 12. */
  private transmitSummary(): number {
    return this.s.transmitStatus.reduce((summary, status, i) => {
      const own = (status & TransmitStatus.Own) === 0 ? 0 : 1 << i;
      const aborted = (status & TransmitStatus.Aborted) === 0 ? 0 : 0x10 << i;
      return summary | own | aborted | ((status & TransmitStatus.Ok) === 0 ? 0 : 0x1000 << i);
    }, 0);
  }

  private write(offset: number, size: AccessSize, value: number): void {
    const { s } = this;
    const unlocked = (s.eepromMode & Eeprom.ModeMask) === Eeprom.ModeMask;
    for (let i = 0; i < size && offset + i < REGISTER_BYTES; i++) {
      const at = offset + i;
      const mask = PLAIN_MASK[at] | (unlocked ? LOCKED_MASK[at] : 0);
      s.bytes[at] = (s.bytes[at] & ~mask) | ((value >>> (8 * i)) & mask);
    }
    for (let at = offset; at < offset + size;) at = this.written(at, offset, size, value);
  }

  /** Does what a write to the register at `at` means; returns the start of the next register. */
  private written(at: number, offset: number, size: number, value: number): number {
    const { s } = this;
    const shift = 8 * (at - offset);
    const byte = (value >>> shift) & 0xff;
    /** The new value of a register of several bytes of which perhaps only some were written. */
    const merged = (register: number, length: number, old: number): number => {
      let result = old;
      for (let i = 0; i < length; i++) {
        const from = register + i - offset;
        if (from < 0 || from >= size) continue;
        const bits = (0xff << (8 * i)) >>> 0;
        result = ((result & ~bits) | ((((value >>> (8 * from)) & 0xff) << (8 * i)) & bits)) >>> 0;
      }
      return result;
    };
    if (at >= Reg.TransmitStatus && at < Reg.TransmitStatus + 4 * DESCRIPTORS) return this.transmitStatus(at, merged);
    switch (at) {
      case Reg.Command:
        this.command(byte);
        break;
      case Reg.ReadPointer:
        this.buffersGiven();
        return at + 2;
      case Reg.InterruptMask:
      case Reg.InterruptMask + 1:
        s.mask = merged(Reg.InterruptMask, 2, s.mask) & CAUSES;
        this.drivePin();
        this.buffersGiven();
        return Reg.InterruptMask + 2;
      case Reg.InterruptStatus:
      case Reg.InterruptStatus + 1:
        s.cause &= ~merged(Reg.InterruptStatus, 2, 0);
        this.drivePin();
        this.buffersGiven();
        return Reg.InterruptStatus + 2;
      case Reg.TransmitConfig:
        s.transmitConfig = merged(at, 4, s.transmitConfig) & TRANSMIT_CONFIG_WRITABLE;
        return at + 4;
      case Reg.TimerCount:
        s.timerStart = this.options.timers.now();
        this.startTimer(s.timerStart);
        return at + 4;
      case Reg.TimerInterrupt:
        this.startTimer(this.options.timers.now() + MIN_TIMER_NS);
        return at + 4;
      case Reg.EepromCommand:
        this.eepromCommand(byte);
        break;
      case Reg.PhyControl:
        this.phyControl(merged(at, 2, wordAt(s, at)));
        return at + 2;
      case Reg.Poll:
        this.poll(byte);
        break;
      case Reg.PlusCommand:
      case Reg.PlusCommand + 1:
        s.plusCommand = merged(Reg.PlusCommand, 2, s.plusCommand) & 0x7f;
        return Reg.PlusCommand + 2;
    }
    return at + 1;
  }

  private transmitStatus(at: number, merged: (register: number, length: number, old: number) => number): number {
    const { s } = this;
    const register = at & ~3;
    const index = (register - Reg.TransmitStatus) >> 2;
    // In C+ mode the first two are the address to which frame counts go.
    if ((s.plusCommand & (PlusCommand.Transmit | PlusCommand.Receive)) !== 0) {
      s.transmitStatus[index] = merged(register, 4, s.transmitStatus[index]);
      if (index === 0) this.dumpTally();
      return register + 4;
    }
    if ((s.command & Command.TransmitEnable) === 0) return register + 4;
    const read = TransmitStatus.Ok | TransmitStatus.Aborted;
    s.transmitStatus[index] = (merged(register, 4, s.transmitStatus[index]) & ~read) >>> 0;
    this.ready();
    return register + 4;
  }

  private command(value: number): void {
    if ((value & Command.Reset) !== 0) {
      // A driver's reset leaves the address that it has set (data sheet, CR bit 4).
      return this.resetCard(this.s.bytes.slice(Reg.Address, Reg.Address + 6));
    }
    const { s } = this;
    const rising = value & ~s.command;
    s.command = value & Command.Writable;
    if ((rising & Command.TransmitEnable) !== 0) {
      s.nextTransmit = 0;
      s.normalIndex = 0;
      s.highIndex = 0;
      s.transmitStatus.fill(TransmitStatus.Own);
      this.transmitter.packet.clear();
    }
    if ((rising & Command.ReceiveEnable) !== 0) {
      s.writePointer = 0;
      s.receiveIndex = 0;
      s.bytes[Reg.ReadPointer] = 0xf0;
      s.bytes[Reg.ReadPointer + 1] = 0xff;
      this.buffersGiven();
    }
  }

  private eepromCommand(value: number): void {
    const { s } = this;
    s.eepromMode = value & Eeprom.ModeMask;
    if (s.eepromMode === Eeprom.Program) writeEeprom(s.eeprom, this.eeprom, value);
    else writeEeprom(s.eeprom, this.eeprom, 0);
    if (s.eepromMode !== Eeprom.AutoLoad) return;
    this.mac.forEach((byte, i) => (s.bytes[Reg.Address + i] = byte));
    s.eepromMode = 0;
  }

  /** A reset of the PHY, or of its negotiation, is over at once. */
  private phyControl(value: number): void {
    const kept = value & PHY_CONTROL_WRITABLE;
    this.s.bytes[Reg.PhyControl] = kept & 0xff;
    this.s.bytes[Reg.PhyControl + 1] = kept >> 8;
  }

  private poll(value: number): void {
    this.s.polled |= value & (Poll.Normal | Poll.High);
    this.raise(((value & Poll.Software) === 0 ? 0 : Cause.Software) | this.transmitter.run());
  }

  /** Frame counts go to memory on command (data sheet, "Dump Tally Counter Command"). */
  private dumpTally(): void {
    const { s, counts } = this;
    const low = s.transmitStatus[0];
    if ((low & TALLY_COMMAND) === 0) return;
    s.transmitStatus[0] = (low & ~TALLY_COMMAND) >>> 0;
    const tally = new Uint8Array(TALLY_BYTES);
    const view = new DataView(tally.buffer);
    view.setUint32(0, counts.framesOut, true);
    view.setUint32(8, counts.framesIn, true);
    if (this.pci.busMaster) this.options.ram.write(s.transmitStatus[1] * 2 ** 32 + (low - (low % TALLY_BYTES)), tally);
  }
}
