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
  /** The byte in the output buffer is from the auxiliary device. */
  AuxOutputFull = 0x20,
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
  /** The next byte appears as if it came from the keyboard, or from the auxiliary device. */
  WriteKeyboardOutput = 0xd2,
  WriteAuxOutput = 0xd3,
  /** The next byte goes to the auxiliary device. */
  WriteAux = 0xd4,
  /** 0xF0-0xFF pulse output port bits low where the command's bit is zero; bit 0 is the reset line. */
  PulseFirst = 0xf0,
}

export const SELF_TEST_PASSED = 0x55;
/** Answers to an interface test: good, and what stands for "nothing plugged in". */
export const INTERFACE_GOOD = 0;
export const CLOCK_STUCK_LOW = 1;
/** The keyboard is not locked, and the display is a colour one. */
export const INPUT_PORT = 0x80;

/** Controller mode byte. */
export const enum Mode {
  KeyboardInterrupt = 0x01,
  AuxInterrupt = 0x02,
  KeyboardDisabled = 0x10,
  AuxDisabled = 0x20,
  /** Scan codes of set 2 are turned into those of set 1. */
  Translate = 0x40,
  /** Both ports disabled, translation on, system flag set. */
  Reset = 0x74,
}

export const enum OutputPort {
  /** Low resets the processor. */
  NoReset = 0x01,
  A20 = 0x02,
  KeyboardFull = 0x10,
  AuxFull = 0x20,
}

/** System port A, 0x92. */
export const enum PortA {
  FastReset = 0x01,
  A20 = 0x02,
  Writable = 0xdb,
}

/** What devices on the controller's ports answer (IBM PS/2 Technical Reference, "Keyboards", "Mouse"). */
export const enum Answer {
  Acknowledge = 0xfa,
  TestPassed = 0xaa,
  Resend = 0xfe,
  Echo = 0xee,
}

export const enum KeyboardCommand {
  SetLeds = 0xed,
  Echo = 0xee,
  SetScanCodes = 0xf0,
  Identify = 0xf2,
  SetRate = 0xf3,
  Enable = 0xf4,
  Disable = 0xf5,
  SetDefaults = 0xf6,
  Resend = 0xfe,
  Reset = 0xff,
}
export const KEYBOARD_ID: readonly number[] = [0xab, 0x83];

export const enum MouseCommand {
  Scale1 = 0xe6,
  Scale2 = 0xe7,
  SetResolution = 0xe8,
  ReadStatus = 0xe9,
  StreamMode = 0xea,
  ReadData = 0xeb,
  EndWrap = 0xec,
  Wrap = 0xee,
  RemoteMode = 0xf0,
  Identify = 0xf2,
  SetRate = 0xf3,
  Enable = 0xf4,
  Disable = 0xf5,
  SetDefaults = 0xf6,
  Resend = 0xfe,
  Reset = 0xff,
}

/** Kinds of mouse: plain, with a wheel, with a wheel and five buttons. Drivers ask for more by a series of rates. */
export const enum MouseKind {
  Plain = 0,
  Wheel = 3,
  FiveButtons = 4,
}

/** Bytes that wait in a mouse at most. */
export const QUEUE_LENGTH = 16;
/**
 * Bytes that wait in a keyboard at most. A real one has 16, and nobody types faster than a processor reads them; here a
 * line may be pasted while the machine waits for its share of the host.
 */
export const KEYBOARD_QUEUE_LENGTH = 256;
/** So much of it is kept for keys that are let go: one that has gone down must not stay there. */
export const RELEASE_RESERVE = 64;
export const DEFAULT_RATE = 100;
export const DEFAULT_RESOLUTION = 2;
