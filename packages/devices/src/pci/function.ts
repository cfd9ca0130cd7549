// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { type Bus, type IoHandler, type IrqLine, type Mapping, NO_IRQ } from "@isola/memory";
import { ConfigSpace } from "./config-space.js";
import { Bar, BAR_COUNT, Command, CONFIG_SIZE, Header, HEADER_MULTIFUNCTION, Status } from "./registers.js";

/** The two address spaces in which base address registers place their regions. */
export interface PciSpaces {
  readonly ports: Bus;
  readonly mmio: Bus;
}

/** What a function says of itself. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** Class, subclass and programming interface, 24 bits. */
  readonly classCode: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly multifunction?: boolean;
  /** Under which its accesses are counted. */
  readonly name?: string;
}

/** One base address register. A 64-bit one takes the next index as well. */
export interface BarSpec {
  readonly index: number;
  readonly kind: "io" | "memory32" | "memory64";
  /** A power of two: at least 4 ports or 16 bytes. */
  readonly size: number;
  readonly prefetchable?: boolean;
  readonly handler: IoHandler;
  /** Called when the region has come to be at another address, or nowhere. */
  readonly placed?: (address: number | null) => void;
}

interface PlacedBar extends BarSpec {
  mapping: Mapping | null;
}

/** Saved part of every PCI function. */
export interface PciFunctionState {
  config: number[];
  /** Whether the function wants its interrupt pin asserted. */
  intx: boolean;
}

/** Expansion ROM register: the ROM answers. The smallest region has 2 KiB. */
const ROM_ENABLE = 1;
const ROM_MIN_SIZE = 2048;

function romHandler(bytes: Uint8Array): IoHandler {
  return {
    read: (offset, size) => {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = (value << 8) | (bytes[offset + i] ?? 0xff);
      return value >>> 0;
    },
    write: () => {},
  };
}

const LAST_PORT = 0xffff;
/** Addresses from here on do not fit a double together with a size; no guest has that much space. */
const LAST_ADDRESS = 2 ** 52;

/**
 * A PCI function with a type 0 header: decodes its base address registers into mappings on the buses, gates them by the
 * command register, keeps the capability list and drives INTx. Devices own one and fill it in.
 */
export class PciFunction {
  readonly config = new ConfigSpace();
  private readonly bars: PlacedBar[] = [];
  private rom: { readonly size: number; readonly handler: IoHandler; mapping: Mapping | null } | null = null;
  private initial: number[] = [];
  private lastCapability: number = Header.Capabilities;
  private freeOffset: number = Header.End;
  private intx = false;
  private pin: IrqLine = NO_IRQ;

  constructor(
    private readonly spaces: PciSpaces,
    private readonly identity: PciIdentity,
  ) {
    const c = this.config;
    c.set16(Header.VendorId, identity.vendorId);
    c.set16(Header.DeviceId, identity.deviceId);
    c.set16(Header.Command, 0, Command.Writable);
    c.set16(Header.Status, 0);
    c.setClearable16(Header.Status, Status.Errors);
    c.set32(Header.Revision, ((identity.classCode << 8) | identity.revision) >>> 0);
    c.set8(Header.CacheLine, 0, 0xff);
    c.set8(Header.LatencyTimer, 0, 0xff);
    c.set8(Header.HeaderType, identity.multifunction === true ? HEADER_MULTIFUNCTION : 0);
    c.set16(Header.SubsystemVendor, identity.subsystemVendorId);
    c.set16(Header.Subsystem, identity.subsystemId);
    c.hook({ start: Header.Command, length: 2, afterWrite: () => this.commandChanged() });
    c.hook({ start: Header.Bar0, length: BAR_COUNT * 4, afterWrite: () => this.placeBars() });
    c.hook({ start: Header.Rom, length: 4, afterWrite: () => this.placeBars() });
  }

  /** Adds a base address register. */
  addBar(spec: BarSpec): void {
    assert((spec.size & (spec.size - 1)) === 0 && spec.size >= 4, `BAR ${spec.index}: size is no power of two`);
    const offset = Header.Bar0 + spec.index * 4;
    const mask = ~(spec.size - 1) >>> 0;
    if (spec.kind === "io") {
      this.config.set32(offset, Bar.Io, mask);
    } else {
      const wide = spec.kind === "memory64";
      const type = (wide ? Bar.Memory64 : 0) | (spec.prefetchable === true ? Bar.Prefetchable : 0);
      this.config.set32(offset, type, mask);
      if (wide) this.config.set32(offset + 4, 0, 0xffff_ffff);
    }
    this.bars.push({ ...spec, mapping: null });
  }

  /** Adds an expansion ROM, whose region has the next power of two of its length. */
  addRom(bytes: Uint8Array): void {
    let size = ROM_MIN_SIZE;
    while (size < bytes.length) size *= 2;
    this.config.set32(Header.Rom, 0, (~(size - 1) >>> 0) + ROM_ENABLE);
    this.rom = { size, handler: romHandler(bytes), mapping: null };
  }

  /** Appends a capability of `length` bytes, its two header bytes included, and returns its offset. */
  addCapability(id: number, length: number): number {
    const offset = this.freeOffset;
    assert(offset + length <= CONFIG_SIZE, "no room for another PCI capability");
    this.config.set8(offset, id);
    this.config.set8(this.lastCapability, offset);
    this.config.put16(Header.Status, this.config.get16(Header.Status) | Status.CapabilityList);
    // The pointer to the next capability is the second byte of the last one.
    this.lastCapability = offset + 1;
    this.freeOffset = (offset + length + 3) & ~3;
    return offset;
  }

  /** Wires an interrupt pin: 1 for INTA# to 4 for INTD#. */
  connectPin(pin: number, line: IrqLine): void {
    this.config.set8(Header.InterruptPin, pin);
    this.config.set8(Header.InterruptLine, 0, 0xff);
    this.pin = line;
  }

  /** Asserts or releases the interrupt pin, subject to the command register. */
  setIntx(asserted: boolean): void {
    if (asserted === this.intx) return;
    this.intx = asserted;
    this.driveIntx();
  }

  get busMaster(): boolean {
    return (this.config.get16(Header.Command) & Command.BusMaster) !== 0;
  }

  /** Remembers the present contents as those after reset; to be called once the function is complete. */
  seal(): void {
    this.initial = this.config.save();
  }

  reset(): void {
    this.config.restore(this.initial);
    this.intx = false;
    this.pin.set(false);
    this.placeBars();
  }

  save(): PciFunctionState {
    return { config: this.config.save(), intx: this.intx };
  }

  restore(state: PciFunctionState): void {
    this.config.restore(state.config);
    this.intx = state.intx;
    this.placeBars();
  }

  private commandChanged(): void {
    this.driveIntx();
    this.placeBars();
  }

  private driveIntx(): void {
    const c = this.config;
    const status = c.get16(Header.Status) & ~Status.Interrupt;
    c.put16(Header.Status, status | (this.intx ? Status.Interrupt : 0));
    this.pin.set(this.intx && (c.get16(Header.Command) & Command.IntxDisable) === 0);
  }

  /** Puts every region where its register and the command register say, or takes it off the bus. */
  private placeBars(): void {
    for (const bar of this.bars) {
      const address = this.addressOf(bar);
      if (address === (bar.mapping?.start ?? -1)) continue;
      if (address < 0) {
        bar.mapping?.unmap();
        bar.mapping = null;
      } else if (bar.mapping === null) {
        const bus = bar.kind === "io" ? this.spaces.ports : this.spaces.mmio;
        bar.mapping = bus.map(address, bar.size, bar.handler, this.identity.name);
      } else {
        bar.mapping.remap(address);
      }
      bar.placed?.(address < 0 ? null : address);
    }
    this.placeRom();
  }

  /** Bit 0 of its register lets the ROM answer (6.2.5.2). */
  private placeRom(): void {
    const { rom } = this;
    if (rom === null) return;
    const register = this.config.get32(Header.Rom);
    const address = (register & ~(rom.size - 1)) >>> 0;
    const memory = (this.config.get16(Header.Command) & Command.Memory) !== 0;
    const decoded = memory && (register & ROM_ENABLE) !== 0 && address !== 0 && address !== ~(rom.size - 1) >>> 0;
    if (!decoded) {
      rom.mapping?.unmap();
      rom.mapping = null;
    } else if (rom.mapping === null) {
      rom.mapping = this.spaces.mmio.map(address, rom.size, rom.handler, this.identity.name);
    } else {
      rom.mapping.remap(address);
    }
  }

  /** Where a region is decoded, or -1. Address zero and the all-ones pattern of sizing mean "not placed". */
  private addressOf(bar: BarSpec): number {
    const command = this.config.get16(Header.Command);
    const offset = Header.Bar0 + bar.index * 4;
    const low = (this.config.get32(offset) & ~(bar.size - 1)) >>> 0;
    if (bar.kind === "io") {
      const valid = (command & Command.Io) !== 0 && low !== 0 && low + bar.size - 1 <= LAST_PORT;
      return valid ? low : -1;
    }
    if ((command & Command.Memory) === 0) return -1;
    const high = bar.kind === "memory64" ? this.config.get32(offset + 4) : 0;
    const address = high * 2 ** 32 + low;
    if (address === 0 || address >= LAST_ADDRESS) return -1;
    return high === 0 && low === ~(bar.size - 1) >>> 0 ? -1 : address;
  }
}
