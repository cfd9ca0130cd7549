// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import type { ByteSink, Timer, Timers } from "@isola/ports";
import { checkState, copyState, type Device } from "../device.js";
import { Fcr, FIFO_DEPTH, Ier, Iir, Lcr, Lsr, Mcr, Msr, Reg, TRIGGER_LEVELS, UART_CLOCK_HZ } from "./registers.js";
import { type UartState, uartResetState } from "./state.js";

export interface UartPorts {
  readonly irq: IrqLine;
  /** Gets what the guest transmits, byte by byte. */
  readonly sink: ByteSink;
  readonly timers: Timers;
  /** Called when there is room again after `receive` took less than it was given. */
  readonly onReceiveReady?: () => void;
}

/**
 * A 16550A UART with its eight registers. Bytes leave at once, whatever the baud rate; the rate only paces the receive
 * timeout. The interrupt output is not gated by MCR.OUT2, as on boards that wire it directly: guests that never set
 * OUT2 still get interrupts.
 */
export class Uart16550 implements Device<UartState> {
  readonly handler: IoHandler = {
    read: (offset) => this.readRegister(offset),
    write: (offset, _size, value) => this.writeRegister(offset, value & 0xff),
  };
  private s: UartState = uartResetState();
  private readonly timeout: Timer;
  private starved = false;

  constructor(private readonly ports: UartPorts) {
    this.timeout = ports.timers.create(() => this.onTimeout());
  }

  reset(): void {
    const wasHigh = this.s.interrupt;
    this.s = uartResetState();
    this.timeout.cancel();
    if (wasHigh) this.ports.irq.set(false);
    this.wakeSender();
  }

  save(): UartState {
    return copyState(this.s);
  }

  restore(state: UartState): void {
    checkState(state, "uart16550", 1);
    this.s = copyState(state);
    this.s.received.length = Math.min(this.s.received.length, FIFO_DEPTH);
    if (this.s.timeoutAt >= 0) this.timeout.set(this.s.timeoutAt);
    else this.timeout.cancel();
  }

  /**
   * Offers bytes from the wire. Returns how many were taken: the FIFO holds 16, the plain buffer 1, and nothing is
   * taken in loop-back. After a short count `onReceiveReady` is called once there is room.
   */
  receive(bytes: Uint8Array): number {
    if ((this.s.mcr & Mcr.Loop) !== 0) {
      this.starved = bytes.length > 0;
      return 0;
    }
    const taken = Math.min(bytes.length, this.capacity() - this.s.received.length);
    for (let i = 0; i < taken; i++) this.enqueue(bytes[i]);
    this.starved = taken < bytes.length;
    if (taken > 0) this.dataArrived();
    return Math.max(taken, 0);
  }

  private capacity(): number {
    return (this.s.fcr & Fcr.Enable) !== 0 ? FIFO_DEPTH : 1;
  }

  private readRegister(offset: number): number {
    const s = this.s;
    const latch = (s.lcr & Lcr.DivisorLatch) !== 0;
    switch (offset) {
      case Reg.Data:
        return latch ? s.divisor & 0xff : this.readData();
      case Reg.Ier:
        return latch ? s.divisor >> 8 : s.ier;
      case Reg.IirFcr:
        return this.readIdentification();
      case Reg.Lcr:
        return s.lcr;
      case Reg.Mcr:
        return s.mcr;
      case Reg.Lsr: {
        const value = s.lsr;
        s.lsr &= ~Lsr.Errors;
        this.update();
        return value;
      }
      case Reg.Msr: {
        const value = s.msr;
        s.msr &= ~Msr.Deltas;
        this.update();
        return value;
      }
      case Reg.Scratch:
        return s.scratch;
      default:
        return 0xff;
    }
  }

  private writeRegister(offset: number, value: number): void {
    const s = this.s;
    const latch = (s.lcr & Lcr.DivisorLatch) !== 0;
    switch (offset) {
      case Reg.Data:
        if (latch) s.divisor = (s.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case Reg.Ier:
        if (latch) s.divisor = (s.divisor & 0xff) | (value << 8);
        else this.writeEnable(value & Ier.Writable);
        break;
      case Reg.IirFcr:
        this.writeFifoControl(value);
        break;
      case Reg.Lcr:
        s.lcr = value;
        break;
      case Reg.Mcr:
        this.writeModemControl(value & Mcr.Writable);
        break;
      case Reg.Scratch:
        s.scratch = value;
        break;
      default:
        break;
    }
  }

  private readData(): number {
    const s = this.s;
    const oldest = s.received.shift() ?? 0;
    const value = (s.fcr & Fcr.Enable) !== 0 ? oldest : s.buffer;
    s.timedOut = false;
    if (s.received.length === 0) s.lsr &= ~Lsr.DataReady;
    this.armTimeout();
    this.update();
    this.wakeSender();
    return value;
  }

  private readIdentification(): number {
    const s = this.s;
    const cause = this.cause();
    // Reading the cause "transmit empty" acknowledges it (table IV).
    if (cause === Iir.TransmitEmpty) {
      s.transmitEmpty = false;
      this.update();
    }
    return cause | ((s.fcr & Fcr.Enable) !== 0 ? Iir.FifosEnabled : 0);
  }

  private writeEnable(value: number): void {
    const s = this.s;
    // Enabling the interrupt while the holding register is empty raises it at once; drivers probe for that.
    if ((value & Ier.TransmitEmpty) !== 0 && (s.ier & Ier.TransmitEmpty) === 0) s.transmitEmpty = true;
    s.ier = value;
    this.update();
  }

  private writeFifoControl(value: number): void {
    const s = this.s;
    const toggled = ((value ^ s.fcr) & Fcr.Enable) !== 0;
    if (toggled || (value & Fcr.ClearReceive) !== 0) {
      s.received.length = 0;
      s.lsr &= ~Lsr.DataReady;
      s.timedOut = false;
      this.armTimeout();
    }
    if (toggled || (value & Fcr.ClearTransmit) !== 0) s.transmitEmpty = true;
    s.fcr = (value & Fcr.Enable) !== 0 ? value & Fcr.Stored : 0;
    this.update();
    this.wakeSender();
  }

  private writeModemControl(value: number): void {
    const s = this.s;
    s.mcr = value;
    let lines: number = Msr.Dcd | Msr.Dsr | Msr.Cts;
    if ((value & Mcr.Loop) !== 0) {
      lines = 0;
      if ((value & Mcr.Rts) !== 0) lines |= Msr.Cts;
      if ((value & Mcr.Dtr) !== 0) lines |= Msr.Dsr;
      if ((value & Mcr.Out1) !== 0) lines |= Msr.Ri;
      if ((value & Mcr.Out2) !== 0) lines |= Msr.Dcd;
    }
    const changed = lines ^ (s.msr & 0xf0);
    let deltas = (changed >> 4) & (Msr.DeltaCts | Msr.DeltaDsr | Msr.DeltaDcd);
    if ((changed & Msr.Ri) !== 0 && (lines & Msr.Ri) === 0) deltas |= Msr.TrailingRi;
    s.msr = lines | (s.msr & Msr.Deltas) | deltas;
    this.update();
    this.wakeSender();
  }

  private transmit(value: number): void {
    const s = this.s;
    s.transmitEmpty = false;
    this.update();
    if ((s.mcr & Mcr.Loop) !== 0) this.loopBack(value);
    else this.ports.sink.write(Uint8Array.of(value));
    // Gone already: the line falls above and rises here, which an edge-triggered PIC needs to see.
    s.transmitEmpty = true;
    this.update();
  }

  private loopBack(value: number): void {
    const s = this.s;
    if (s.received.length >= this.capacity()) {
      s.lsr |= Lsr.Overrun;
      // Without FIFOs the new byte replaces the old one; with FIFOs it is lost in the shift register (8.4).
      if ((s.fcr & Fcr.Enable) === 0) s.buffer = value;
      return;
    }
    this.enqueue(value);
    this.dataArrived();
  }

  private enqueue(value: number): void {
    this.s.received.push(value);
    if ((this.s.fcr & Fcr.Enable) === 0) this.s.buffer = value;
  }

  private dataArrived(): void {
    this.s.lsr |= Lsr.DataReady;
    this.armTimeout();
    this.update();
  }

  /** (Re)starts the timeout of four character times (8.2, "FIFO interrupt mode operation"). */
  private armTimeout(): void {
    const s = this.s;
    const waiting = s.received.length;
    if (waiting === 0 || s.timedOut || (s.fcr & Fcr.Enable) === 0 || waiting >= this.triggerLevel()) {
      s.timeoutAt = -1;
      this.timeout.cancel();
      return;
    }
    const dataBits = 5 + (s.lcr & Lcr.WordLength);
    const bits = 1 + dataBits + ((s.lcr & Lcr.ParityEnable) >> 3) + 1 + ((s.lcr & Lcr.StopBits) >> 2);
    const bitTime = (1e9 * 16 * Math.max(s.divisor, 1)) / UART_CLOCK_HZ;
    s.timeoutAt = this.ports.timers.now() + Math.ceil(4 * bits * bitTime);
    this.timeout.set(s.timeoutAt);
  }

  private onTimeout(): void {
    this.s.timeoutAt = -1;
    this.s.timedOut = this.s.received.length > 0;
    this.update();
  }

  private triggerLevel(): number {
    return TRIGGER_LEVELS[(this.s.fcr >> Fcr.TriggerShift) & 3];
  }

  /** The interrupt that IIR names now (table IV). */
  private cause(): Iir {
    const s = this.s;
    if ((s.ier & Ier.LineStatus) !== 0 && (s.lsr & Lsr.Errors) !== 0) return Iir.LineStatus;
    if ((s.ier & Ier.ReceivedData) !== 0 && s.received.length > 0) {
      if ((s.fcr & Fcr.Enable) === 0 || s.received.length >= this.triggerLevel()) return Iir.ReceivedData;
      if (s.timedOut) return Iir.CharacterTimeout;
    }
    if ((s.ier & Ier.TransmitEmpty) !== 0 && s.transmitEmpty) return Iir.TransmitEmpty;
    if ((s.ier & Ier.ModemStatus) !== 0 && (s.msr & Msr.Deltas) !== 0) return Iir.ModemStatus;
    return Iir.None;
  }

  private update(): void {
    const asserted = this.cause() !== Iir.None;
    if (asserted === this.s.interrupt) return;
    this.s.interrupt = asserted;
    this.ports.irq.set(asserted);
  }

  private wakeSender(): void {
    if (!this.starved || (this.s.mcr & Mcr.Loop) !== 0 || this.s.received.length >= this.capacity()) return;
    this.starved = false;
    this.ports.onReceiveReady?.();
  }
}
