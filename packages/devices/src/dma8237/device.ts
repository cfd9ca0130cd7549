// SPDX-License-Identifier: Apache-2.0
import type { GuestRam, IoHandler } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { CHANNELS_EACH, COMMAND_DISABLE, Mode, PAGE_CHANNELS, Register } from "./registers.js";
import { type DmaChannelState, type DmaChipState, dmaChipResetState, type DmaState, dmaResetState } from "./state.js";

/** What a device uses of its DMA channel. */
export interface DmaChannel {
  /** Bytes up to the terminal count in the direction that is programmed; 0 while the channel is masked or off. */
  available(toMemory: boolean): number;
  /** Moves at most {@link available} bytes to or from memory. True if the terminal count has been reached. */
  transfer(bytes: Uint8Array, toMemory: boolean): boolean;
}

/** The cascaded pair of DMA controllers with their page registers. Channels 0-3 move bytes, 5-7 words. */
export class Dma8237 implements Device<DmaState> {
  /** Ports 0x00-0x0F. */
  readonly firstHandler: IoHandler = this.chipHandler(0);
  /** Ports 0xC0-0xDF. */
  readonly secondHandler: IoHandler = this.chipHandler(1);
  /** Ports 0x80-0x8F. */
  readonly pageHandler: IoHandler = {
    read: (offset) => this.s.pages[offset] ?? 0xff,
    write: (offset, _size, value) => {
      if (offset < this.s.pages.length) this.s.pages[offset] = value & 0xff;
    },
  };
  private s: DmaState = dmaResetState();

  constructor(private readonly ram: GuestRam) {}

  reset(): void {
    this.s = dmaResetState();
  }

  save(): DmaState {
    return copyState(this.s);
  }

  restore(state: DmaState): void {
    checkState(state, "dma8237", 1);
    this.s = copyState(state);
  }

  /** Channel 0-3 or 5-7. */
  channel(number: number): DmaChannel {
    return {
      available: (toMemory) => this.available(number, toMemory),
      transfer: (bytes, toMemory) => this.transfer(number, bytes, toMemory),
    };
  }

  private chip(number: number): DmaChipState {
    return this.s.chips[number >> 2];
  }

  private available(number: number, toMemory: boolean): number {
    const chip = this.chip(number);
    const channel = chip.channels[number & 3];
    if (channel.masked || (chip.command & COMMAND_DISABLE) !== 0) return 0;
    const kind = channel.mode & Mode.Transfer;
    // Verify transfers, whose kind is zero, count and move nothing.
    if (kind !== 0 && kind !== (toMemory ? Mode.ToMemory : Mode.FromMemory)) return 0;
    return (channel.count + 1) * widthOf(number);
  }

  private transfer(number: number, bytes: Uint8Array, toMemory: boolean): boolean {
    const chip = this.chip(number);
    const channel = chip.channels[number & 3];
    const width = widthOf(number);
    const units = Math.min(Math.floor(bytes.length / width), Math.floor(this.available(number, toMemory) / width));
    if (units === 0) return false;
    if ((channel.mode & Mode.Transfer) !== 0) this.move(number, channel, bytes.subarray(0, units * width), toMemory);
    const backward = (channel.mode & Mode.Decrement) !== 0;
    channel.address = (channel.address + (backward ? -units : units)) & 0xffff;
    const done = units > channel.count;
    channel.count = (channel.count - units) & 0xffff;
    if (!done) return false;
    chip.status |= 1 << (number & 3);
    if ((channel.mode & Mode.AutoInitialize) !== 0) {
      channel.address = channel.baseAddress;
      channel.count = channel.baseCount;
    } else channel.masked = true;
    return true;
  }

  /** The page register does not count, so addresses wrap within 64 KiB, or 128 KiB for words. */
  private move(number: number, channel: DmaChannelState, bytes: Uint8Array, toMemory: boolean): void {
    const width = widthOf(number);
    const page = this.s.pages[PAGE_CHANNELS.indexOf(number)];
    const base = width === 1 ? page << 16 : (page & 0xfe) << 16;
    const step = (channel.mode & Mode.Decrement) !== 0 ? -1 : 1;
    for (let done = 0, at = channel.address; done < bytes.length;) {
      // Forward, everything up to the wrap goes in one piece.
      const units = step > 0 ? Math.min((bytes.length - done) / width, 0x1_0000 - at) : 1;
      const piece = bytes.subarray(done, done + units * width);
      const address = base + at * width;
      if (toMemory) this.ram.write(address, piece);
      else if (!this.ram.read(address, piece)) piece.fill(0xff);
      done += units * width;
      at = (at + step * units) & 0xffff;
    }
  }

  private chipHandler(number: 0 | 1): IoHandler {
    return {
      read: (offset) => this.readRegister(this.s.chips[number], offset >> number),
      write: (offset, _size, value) => this.writeRegister(number, offset >> number, value & 0xff),
    };
  }

  private readRegister(chip: DmaChipState, register: number): number {
    if (register < 2 * CHANNELS_EACH) {
      const channel = chip.channels[register >> 1];
      const value = (register & 1) === 0 ? channel.address : channel.count;
      const upper = chip.upper;
      chip.upper = !upper;
      return upper ? value >> 8 : value & 0xff;
    }
    if (register === Register.Command) {
      const { status } = chip;
      chip.status = 0;
      return status;
    }
    return register === Register.AllMasks ? masksOf(chip) | 0xf0 : 0;
  }

  private writeRegister(number: 0 | 1, register: number, value: number): void {
    const chip = this.s.chips[number];
    if (register < 2 * CHANNELS_EACH) return writeCounter(chip, register, value);
    switch (register) {
      case Register.Command:
        chip.command = value;
        return;
      case Register.SingleMask:
        chip.channels[value & 3].masked = (value & 4) !== 0;
        return;
      case Register.Mode:
        chip.channels[value & 3].mode = value & ~3;
        return;
      case Register.ClearFlipFlop:
        chip.upper = false;
        return;
      case Register.MasterClear:
        this.s.chips[number] = { ...dmaChipResetState(), channels: chip.channels };
        for (const channel of chip.channels) channel.masked = true;
        return;
      case Register.ClearMask:
        for (const channel of chip.channels) channel.masked = false;
        return;
      case Register.AllMasks:
        chip.channels.forEach((channel, i) => (channel.masked = ((value >> i) & 1) !== 0));
        return;
      default:
        // Requests by software are for moves between two places in memory, which a PC's wiring does not allow.
        return;
    }
  }
}

/** Bytes of a unit of transfer. */
function widthOf(channel: number): 1 | 2 {
  return channel < CHANNELS_EACH ? 1 : 2;
}

function masksOf(chip: DmaChipState): number {
  return chip.channels.reduce((bits, { masked }, i) => bits | (masked ? 1 << i : 0), 0);
}

function writeCounter(chip: DmaChipState, register: number, value: number): void {
  const channel = chip.channels[register >> 1];
  const shift = chip.upper ? 8 : 0;
  chip.upper = !chip.upper;
  const put = (old: number): number => (old & ~(0xff << shift)) | (value << shift);
  if ((register & 1) === 0) {
    channel.baseAddress = put(channel.baseAddress);
    channel.address = channel.baseAddress;
  } else {
    channel.baseCount = put(channel.baseCount);
    channel.count = channel.baseCount;
  }
}
