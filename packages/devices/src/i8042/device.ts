// SPDX-License-Identifier: Apache-2.0
import { type IoHandler, type IrqLine, NO_IRQ } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { Keyboard } from "./keyboard.js";
import { Mouse } from "./mouse.js";
import {
  CLOCK_STUCK_LOW,
  Command,
  INPUT_PORT,
  INTERFACE_GOOD,
  Mode,
  OutputPort,
  PortA,
  SELF_TEST_PASSED,
  Status,
} from "./registers.js";
import { BREAK, translate } from "./scan-codes.js";
import { type I8042State, i8042ResetState } from "./state.js";

export interface I8042Events {
  /** The guest pulled the reset line. */
  resetRequested(): void;
  /** Address line 20 was opened or masked. */
  a20Changed(enabled: boolean): void;
}

/** Interrupts of a controller with a keyboard and a mouse. */
export interface I8042Lines {
  readonly keyboard: IrqLine;
  readonly mouse: IrqLine;
}

/**
 * The keyboard controller: keyboard, mouse, A20 and reset. Without interrupt lines nothing is plugged in, and it answers
 * a driver's probe at once, so that booting does not wait for timeouts.
 */
export class I8042 implements Device<I8042State> {
  /** Port 0x60. */
  readonly dataHandler: IoHandler = {
    read: () => this.readData(),
    write: (_offset, _size, value) => this.writeData(value & 0xff),
  };
  /** Port 0x64. */
  readonly commandHandler: IoHandler = {
    read: () => this.status(),
    write: (_offset, _size, value) => this.writeCommand(value & 0xff),
  };
  /** Port 0x92. */
  readonly portAHandler: IoHandler = {
    read: () => this.s.portA | (this.s.a20 ? PortA.A20 : 0),
    write: (_offset, _size, value) => this.writePortA(value & PortA.Writable),
  };
  readonly keyboard: Keyboard | null;
  readonly mouse: Mouse | null;
  private readonly keyboardIrq: IrqLine;
  private readonly mouseIrq: IrqLine;
  private s = i8042ResetState();

  constructor(
    private readonly events: I8042Events,
    lines: I8042Lines | null = null,
  ) {
    this.keyboard = lines === null ? null : new Keyboard(() => this.fill());
    this.mouse = lines === null ? null : new Mouse(() => this.fill());
    this.keyboardIrq = lines?.keyboard ?? NO_IRQ;
    this.mouseIrq = lines?.mouse ?? NO_IRQ;
  }

  reset(): void {
    this.setA20(true);
    this.s = i8042ResetState();
    this.keyboard?.reset();
    this.mouse?.reset();
    this.driveIrqs();
  }

  save(): I8042State {
    return {
      ...copyState(this.s),
      keyboard: this.keyboard?.save() ?? null,
      mouse: this.mouse?.save() ?? null,
    };
  }

  /** The machine restores the A20 gate by itself, from the state of the processor. */
  restore(state: I8042State): void {
    checkState(state, "i8042", 2);
    const { keyboard, mouse, ...own } = copyState(state);
    this.s = own;
    if (keyboard !== null) this.keyboard?.restore(keyboard);
    if (mouse !== null) this.mouse?.restore(mouse);
  }

  private status(): number {
    const { s } = this;
    const full = s.output < 0 ? 0 : Status.OutputFull | (s.outputAux ? Status.AuxOutputFull : 0);
    return Status.System | Status.Unlocked | full | (s.lastWasCommand ? Status.Command : 0);
  }

  private readData(): number {
    const { s } = this;
    const value = s.output;
    s.output = -1;
    this.driveIrqs();
    this.fill();
    return value < 0 ? 0 : value;
  }

  /** Puts the next byte of a device into the output buffer, if that is empty. The keyboard goes first. */
  private fill(): void {
    const { s } = this;
    while (s.output < 0) {
      const keyboard = (s.mode & Mode.KeyboardDisabled) === 0 ? (this.keyboard?.take() ?? -1) : -1;
      if (keyboard >= 0) {
        const byte = this.translated(keyboard);
        if (byte >= 0) this.put(byte, false);
        continue;
      }
      const mouse = (s.mode & Mode.AuxDisabled) === 0 ? (this.mouse?.take() ?? -1) : -1;
      if (mouse < 0) return;
      this.put(mouse, true);
    }
  }

  /** A byte of the keyboard as the host gets it; -1 for a prefix that the translation swallows. */
  private translated(byte: number): number {
    const { s } = this;
    if ((s.mode & Mode.Translate) === 0) return byte;
    if (byte === BREAK) {
      s.breakPrefix = true;
      return -1;
    }
    const released = s.breakPrefix;
    // The prefix of an extended key may stand between the two.
    s.breakPrefix = false;
    return translate(byte, released);
  }

  private put(byte: number, aux: boolean): void {
    this.s.output = byte;
    this.s.outputAux = aux;
    this.driveIrqs();
  }

  private driveIrqs(): void {
    const { output, outputAux, mode } = this.s;
    const full = output >= 0;
    this.keyboardIrq.set(full && !outputAux && (mode & Mode.KeyboardInterrupt) !== 0);
    this.mouseIrq.set(full && outputAux && (mode & Mode.AuxInterrupt) !== 0);
  }

  private writeData(value: number): void {
    const s = this.s;
    s.lastWasCommand = false;
    const command = s.awaiting;
    s.awaiting = -1;
    switch (command) {
      case Command.WriteMode:
        this.setMode(value);
        break;
      case Command.WriteOutputPort:
        this.writeOutputPort(value);
        break;
      case Command.WriteKeyboardOutput:
        this.put(value, false);
        break;
      case Command.WriteAuxOutput:
        this.put(value, true);
        break;
      case Command.WriteAux:
        this.mouse?.receive(value);
        break;
      default:
        if (this.keyboard === null) break;
        // A byte for the keyboard switches its port on (PS/2 Technical Reference, "Keyboard/Auxiliary Device Controller").
        this.setMode(s.mode & ~Mode.KeyboardDisabled);
        this.keyboard.receive(value);
        break;
    }
  }

  private setMode(mode: number): void {
    this.s.mode = mode;
    this.driveIrqs();
    this.fill();
  }

  private writeCommand(command: number): void {
    const s = this.s;
    s.lastWasCommand = true;
    s.awaiting = -1;
    switch (command) {
      case Command.ReadMode:
        return this.put(s.mode, false);
      case Command.WriteMode:
      case Command.WriteOutputPort:
      case Command.WriteKeyboardOutput:
      case Command.WriteAuxOutput:
      case Command.WriteAux:
        s.awaiting = command;
        return;
      case Command.DisableAux:
        return this.setMode(s.mode | Mode.AuxDisabled);
      case Command.EnableAux:
        return this.setMode(s.mode & ~Mode.AuxDisabled);
      case Command.DisableKeyboard:
        return this.setMode(s.mode | Mode.KeyboardDisabled);
      case Command.EnableKeyboard:
        return this.setMode(s.mode & ~Mode.KeyboardDisabled);
      case Command.SelfTest:
        return this.put(SELF_TEST_PASSED, false);
      case Command.TestAux:
      case Command.TestKeyboard:
        return this.put(this.keyboard === null ? CLOCK_STUCK_LOW : INTERFACE_GOOD, false);
      case Command.ReadInputPort:
        return this.put(this.keyboard === null ? 0 : INPUT_PORT, false);
      case Command.ReadOutputPort:
        return this.put(this.outputPort(), false);
      default:
        if (command >= Command.PulseFirst && (command & OutputPort.NoReset) === 0) this.events.resetRequested();
        return;
    }
  }

  private outputPort(): number {
    const { s } = this;
    const full = s.output < 0 ? 0 : s.outputAux ? OutputPort.AuxFull : OutputPort.KeyboardFull;
    return OutputPort.NoReset | (s.a20 ? OutputPort.A20 : 0) | full;
  }

  private writeOutputPort(value: number): void {
    this.setA20((value & OutputPort.A20) !== 0);
    if ((value & OutputPort.NoReset) === 0) this.events.resetRequested();
  }

  private writePortA(value: number): void {
    const rising = (value & ~this.s.portA & PortA.FastReset) !== 0;
    this.s.portA = value & ~PortA.A20;
    this.setA20((value & PortA.A20) !== 0);
    if (rising) this.events.resetRequested();
  }

  private setA20(enabled: boolean): void {
    if (this.s.a20 === enabled) return;
    this.s.a20 = enabled;
    this.events.a20Changed(enabled);
  }
}
