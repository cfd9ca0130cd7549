// SPDX-License-Identifier: Apache-2.0
import type { IoHandler } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { CLOCK_STUCK_LOW, Command, Mode, OutputPort, PortA, SELF_TEST_PASSED, Status } from "./registers.js";
import { type I8042State, i8042ResetState } from "./state.js";

export interface I8042Events {
  /** The guest pulled the reset line. */
  resetRequested(): void;
  /** Address line 20 was opened or masked. */
  a20Changed(enabled: boolean): void;
}

/**
 * A keyboard controller with nothing plugged in: it resets the machine, switches A20 and answers a driver's probe at
 * once, so that booting does not wait for timeouts.
 */
export class I8042 implements Device<I8042State> {
  /** Port 0x60. */
  readonly dataHandler: IoHandler = {
    read: () => this.readData(),
    write: (_offset, _size, value) => this.writeData(value & 0xff),
  };
  /** Port 0x64. */
  readonly commandHandler: IoHandler = {
    read: () =>
      Status.System |
      Status.Unlocked |
      (this.s.output >= 0 ? Status.OutputFull : 0) |
      (this.s.lastWasCommand ? Status.Command : 0),
    write: (_offset, _size, value) => this.writeCommand(value & 0xff),
  };
  /** Port 0x92. */
  readonly portAHandler: IoHandler = {
    read: () => this.s.portA | (this.s.a20 ? PortA.A20 : 0),
    write: (_offset, _size, value) => this.writePortA(value & PortA.Writable),
  };
  private s: I8042State = i8042ResetState();

  constructor(private readonly events: I8042Events) {}

  reset(): void {
    this.setA20(true);
    this.s = i8042ResetState();
  }

  save(): I8042State {
    return copyState(this.s);
  }

  /** The machine restores the A20 gate by itself, from the state of the processor. */
  restore(state: I8042State): void {
    checkState(state, "i8042", 1);
    this.s = copyState(state);
  }

  private readData(): number {
    const value = this.s.output;
    this.s.output = -1;
    return value < 0 ? 0 : value;
  }

  private writeData(value: number): void {
    const s = this.s;
    s.lastWasCommand = false;
    const command = s.awaiting;
    s.awaiting = -1;
    if (command === Command.WriteMode) s.mode = value;
    else if (command === Command.WriteOutputPort) this.writeOutputPort(value);
    // Anything else would go to a keyboard, and there is none.
  }

  private writeCommand(command: number): void {
    const s = this.s;
    s.lastWasCommand = true;
    s.awaiting = -1;
    switch (command) {
      case Command.ReadMode:
        s.output = s.mode;
        break;
      case Command.WriteMode:
      case Command.WriteOutputPort:
        s.awaiting = command;
        break;
      case Command.DisableAux:
        s.mode |= Mode.AuxDisabled;
        break;
      case Command.EnableAux:
        s.mode &= ~Mode.AuxDisabled;
        break;
      case Command.DisableKeyboard:
        s.mode |= Mode.KeyboardDisabled;
        break;
      case Command.EnableKeyboard:
        s.mode &= ~Mode.KeyboardDisabled;
        break;
      case Command.SelfTest:
        s.output = SELF_TEST_PASSED;
        break;
      case Command.TestAux:
      case Command.TestKeyboard:
        s.output = CLOCK_STUCK_LOW;
        break;
      case Command.ReadInputPort:
        s.output = 0;
        break;
      case Command.ReadOutputPort:
        s.output = OutputPort.NoReset | (s.a20 ? OutputPort.A20 : 0);
        break;
      default:
        if (command >= Command.PulseFirst && (command & OutputPort.NoReset) === 0) this.events.resetRequested();
        break;
    }
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
