// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine } from "@isola/memory";
import type { NetFrame, NetLink, NetOffload, NetPort, Timer, Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device } from "../device.js";
import { netCounts } from "../network-card.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { eepromWords, readPins, writePins } from "./eeprom.js";
import { mdiCommand } from "./phy.js";
import { Receiver } from "./receiver.js";
import {
  ADDRESS_WORDS,
  CAUSES,
  Cause,
  Control,
  DEVICE_82540EM,
  ETHERNET_CLASS,
  INTEL_VENDOR,
  IO_SPACE,
  MULTICAST_WORDS,
  PLAIN_REGISTERS,
  Receive,
  Reg,
  REGISTER_SPACE,
  REVISION,
  STATUS_LINK,
  SUBSYSTEM,
  THROTTLE_UNIT,
  VLAN_WORDS,
} from "./registers.js";
import { type E1000State, e1000State, type Ring } from "./state.js";
import { Transmitter } from "./transmitter.js";

export interface E1000Options {
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
const PLAIN: ReadonlySet<number> = new Set(PLAIN_REGISTERS);
/** Completion bit of the EEPROM read register of this chip (13.4.4). */
const EEPROM_DONE = 0x10;

/** An Intel 82540EM network card with its interrupt pin. `pci` goes into a slot of the `PciHost`. */
export class E1000 implements Device<E1000State>, NetPort {
  readonly offload = NO_OFFLOAD;
  readonly pci: PciFunction;
  readonly counts = netCounts();
  /** BAR 0: the registers. */
  readonly registerHandler: IoHandler = {
    read: (offset, size) => this.readPart(offset, size),
    write: (offset, size, value) => this.writePart(offset, size, value),
  };
  /** BAR 1: an address and a window onto the register there (13.2.2). */
  readonly ioHandler: IoHandler = {
    read: (offset, size) => this.readIo(offset, size),
    write: (offset, _size, value) => this.writeIo(offset, value),
  };
  private readonly mac: readonly number[];
  private readonly eeprom: readonly number[];
  private s: E1000State;
  /** Whether the pin is asserted. */
  private asserted = false;
  private readonly transmitter: Transmitter;
  private readonly receiver: Receiver;
  private readonly throttle: Timer;

  constructor(private readonly options: E1000Options) {
    const { spaces, ram, link, name } = options;
    this.mac = [...options.mac];
    this.eeprom = eepromWords(this.mac);
    this.pci = new PciFunction(spaces, {
      vendorId: INTEL_VENDOR,
      deviceId: DEVICE_82540EM,
      revision: REVISION,
      classCode: ETHERNET_CLASS,
      subsystemVendorId: INTEL_VENDOR,
      subsystemId: SUBSYSTEM,
      ...(name !== undefined && { name }),
    });
    this.pci.addBar({ index: 0, kind: "memory32", size: REGISTER_SPACE, handler: this.registerHandler });
    this.pci.addBar({ index: 1, kind: "io", size: IO_SPACE, handler: this.ioHandler });
    this.pci.connectPin(1, options.intx);
    this.pci.seal();
    this.s = e1000State(this.pci.save(), this.mac);
    const shared = { state: () => this.s, ram, counts: this.counts, mayMaster: () => this.pci.busMaster };
    this.transmitter = new Transmitter({ ...shared, link });
    this.receiver = new Receiver(shared);
    this.throttle = options.timers.create(() => this.drivePin());
    link.connect(this);
  }

  reset(): void {
    this.pci.reset();
    this.resetCard();
  }

  save(): E1000State {
    return { ...copyState(this.s), pci: this.pci.save(), partial: this.transmitter.packet.save() };
  }

  restore(state: E1000State): void {
    checkState(state, "e1000", 1);
    this.s = copyState(state);
    this.pci.restore(state.pci);
    this.transmitter.packet.restore(state.partial);
    this.receiver.waiting = true;
    this.asserted = state.pci.intx;
    if (!this.asserted && (state.cause & state.mask) !== 0) this.throttle.set(state.quietUntil);
  }

  receive(frame: NetFrame): boolean {
    return this.receiver.receive(frame);
  }

  flush(): void {
    this.raise(this.receiver.takeCauses());
  }

  ready(): void {
    this.raise(this.transmitter.run());
  }

  private resetCard(): void {
    this.s = e1000State(this.s.pci, this.mac);
    this.transmitter.packet.clear();
    this.asserted = false;
    this.throttle.cancel();
    this.pci.setIntx(false);
    this.buffersGiven();
  }

  private raise(causes: number): void {
    this.s.cause |= causes;
    this.drivePin();
  }

  private drivePin(): void {
    const { s } = this;
    const wanted = (s.cause & s.mask) !== 0;
    if (!wanted) this.asserted = false;
    else if (!this.asserted) {
      const now = this.options.timers.now();
      // Not so soon after the last one (13.4.18).
      if (now < s.quietUntil) return this.throttle.set(s.quietUntil);
      s.quietUntil = now + ((s.plain[Reg.Throttle] ?? 0) & 0xffff) * THROTTLE_UNIT;
      this.asserted = true;
    }
    this.throttle.cancel();
    this.pci.setIntx(this.asserted);
  }

  private buffersGiven(): void {
    if (!this.receiver.waiting) return;
    this.receiver.waiting = false;
    this.options.link.ready();
  }

  /** Registers are dwords; narrower reads get a part of one. */
  private readPart(offset: number, size: AccessSize): number {
    return partOf(this.read(offset & ~3), offset, size);
  }

  /** Writes are of whole dwords (13.2.1); others are not for registers. */
  private writePart(offset: number, size: AccessSize, value: number): void {
    if (size === 4 && (offset & 3) === 0) this.write(offset, value >>> 0);
  }

  private readIo(offset: number, size: AccessSize): number {
    if (offset < 4) return partOf(this.s.ioAddress, offset, size);
    return offset < 8 ? this.readPart(this.s.ioAddress + offset - 4, size) : 0;
  }

  private writeIo(offset: number, value: number): void {
    if (offset === 0) this.s.ioAddress = (value & (REGISTER_SPACE - 4)) >>> 0;
    else if (offset === 4) this.write(this.s.ioAddress, value >>> 0);
  }

  private read(offset: number): number {
    const { s } = this;
    switch (offset) {
      case Reg.Control:
        return s.control;
      case Reg.Status:
        return STATUS_LINK;
      case Reg.EepromControl:
        return readPins(s.eeprom);
      case Reg.EepromRead:
        return s.eepromRead;
      case Reg.MdiControl:
        return s.mdi;
      case Reg.InterruptCause: {
        // Reading acknowledges (13.4.17).
        const { cause } = s;
        s.cause = 0;
        this.drivePin();
        return cause;
      }
      case Reg.MaskSet:
        return s.mask;
      case Reg.ReceiveControl:
        return s.receiveControl;
      case Reg.TransmitControl:
        return s.transmitControl;
      default:
        return this.tableOf(offset)?.read() ?? this.ringRead(offset) ?? s.plain[offset] ?? 0;
    }
  }

  private write(offset: number, value: number): void {
    const { s } = this;
    switch (offset) {
      case Reg.Control:
        if ((value & Control.Reset) !== 0) return this.resetCard();
        s.control = (value & ~Control.PhyReset) >>> 0;
        return;
      case Reg.EepromControl:
        return writePins(s.eeprom, this.eeprom, value);
      case Reg.EepromRead:
        s.eepromRead =
          (value & 1) === 0
            ? value
            : ((this.eeprom[(value >>> 8) & 0x3f] << 16) | (value & 0xff00) | EEPROM_DONE) >>> 0;
        return;
      case Reg.MdiControl:
        s.mdi = mdiCommand(s.phy, value);
        return this.raise(Cause.MdiDone);
      case Reg.InterruptCause:
        s.cause &= ~value;
        return this.drivePin();
      case Reg.CauseSet:
        return this.raise(value & CAUSES);
      case Reg.MaskSet:
        s.mask |= value & CAUSES;
        return this.drivePin();
      case Reg.MaskClear:
        s.mask &= ~value;
        return this.drivePin();
      case Reg.ReceiveControl:
        s.receiveControl = value;
        if ((value & Receive.Enable) !== 0) this.buffersGiven();
        return;
      case Reg.TransmitControl:
        s.transmitControl = value;
        return this.ready();
      default:
        if (this.ringWrite(offset, value)) return;
        if (PLAIN.has(offset)) s.plain[offset] = value;
        else this.tableOf(offset)?.write(value);
    }
  }

  private tableOf(offset: number): { read(): number; write(value: number): void } | null {
    const { s } = this;
    const tables = [
      [Reg.MulticastTable, MULTICAST_WORDS, s.multicast],
      [Reg.ReceiveAddress, ADDRESS_WORDS, s.addresses],
      [Reg.VlanTable, VLAN_WORDS, s.vlans],
    ] as const;
    for (const [start, words, table] of tables) {
      const index = (offset - start) / 4;
      if (index < 0 || index >= words) continue;
      return { read: () => table[index], write: (value) => void (table[index] = value) };
    }
    return null;
  }

  private ringOf(offset: number): Ring | null {
    if (offset >= Reg.ReceiveBaseLow && offset <= Reg.ReceiveTail) return this.s.receive;
    return offset >= Reg.TransmitBaseLow && offset <= Reg.TransmitTail ? this.s.transmit : null;
  }

  private ringRead(offset: number): number | null {
    const ring = this.ringOf(offset);
    if (ring === null) return null;
    switch (offset & 0xff) {
      case 0x00:
        return ring.base[0];
      case 0x04:
        return ring.base[1];
      case 0x08:
        return ring.length;
      case 0x10:
        return ring.head;
      default:
        return (offset & 0xff) === 0x18 ? ring.tail : null;
    }
  }

  /** True if `offset` is a register of a ring. */
  private ringWrite(offset: number, value: number): boolean {
    const ring = this.ringOf(offset);
    if (ring === null) return false;
    switch (offset & 0xff) {
      case 0x00:
        ring.base[0] = (value & ~15) >>> 0;
        break;
      case 0x04:
        ring.base[1] = value;
        break;
      case 0x08:
        ring.length = value & 0xf_ff80;
        break;
      case 0x10:
        ring.head = value & 0xffff;
        break;
      case 0x18:
        ring.tail = value & 0xffff;
        if (ring === this.s.receive) this.buffersGiven();
        else this.ready();
        break;
      default:
        return false;
    }
    return true;
  }
}
