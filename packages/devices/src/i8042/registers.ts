// SPDX-License-Identifier: Apache-2.0
/** The keyboard controller of a PC AT (IBM PC AT Technical Reference, "Keyboard Controller") and system port A. */
export const I8042_DATA_PORT = 0x60;
export const I8042_COMMAND_PORT = 0x64;
export const SYSTEM_PORT_A = 0x92;

export const enum Status {
  OutputFull = 0x01,
  /** Self-test passed. */
  System = 0x04,
  /** The last write went to the command port. */
  Command = 0x08,
  /** The keyboard is not locked. */
  Unlocked = 0x10,
}

export const enum Command {
  ReadMode = 0x20,
  WriteMode = 0x60,
  DisableAux = 0xa7,
  EnableAux = 0xa8,
  TestAux = 0xa9,
  SelfTest = 0xaa,
  TestKeyboard = 0xab,
  DisableKeyboard = 0xad,
  EnableKeyboard = 0xae,
  ReadInputPort = 0xc0,
  ReadOutputPort = 0xd0,
  WriteOutputPort = 0xd1,
  /** 0xF0-0xFF pulse output port bits low where the command's bit is zero; bit 0 is the reset line. */
  PulseFirst = 0xf0,
}

export const SELF_TEST_PASSED = 0x55;
/** Answer to an interface test that stands for "nothing plugged in"; zero would be good. */
export const CLOCK_STUCK_LOW = 1;

/** Controller mode byte. */
export const enum Mode {
  KeyboardDisabled = 0x10,
  AuxDisabled = 0x20,
  /** Both ports disabled, translation on, system flag set. */
  Reset = 0x74,
}

export const enum OutputPort {
  /** Low resets the processor. */
  NoReset = 0x01,
  A20 = 0x02,
}

/** System port A, 0x92. */
export const enum PortA {
  FastReset = 0x01,
  A20 = 0x02,
  Writable = 0xdb,
}
