// SPDX-License-Identifier: Apache-2.0
/** Intel 82801AA AC'97 audio controller (data sheet 290655, 13) and the codec behind it (AC '97 revision 2.2, 5.7). */
export const INTEL_VENDOR = 0x8086;
export const DEVICE_82801AA_AUDIO = 0x2415;
export const AUDIO_REVISION = 0x01;
/** Multimedia, audio. */
export const AUDIO_CLASS = 0x04_0100;

/** Regions: native audio mixer and native audio bus master (13.1.10, 13.1.11). */
export const MIXER_PORTS = 256;
export const BUS_MASTER_PORTS = 64;

/** Registers of one of the three engines, which are 16 bytes apart (13.2). */
export const enum EngineReg {
  ListBase = 0x0,
  Current = 0x4,
  LastValid = 0x5,
  Status = 0x6,
  Left = 0x8,
  Prefetched = 0xa,
  Control = 0xb,
}
/** From one engine to the next, and how much of that its registers take: others share the end of the last. */
export const ENGINE_STRIDE = 0x10;
export const ENGINE_PORTS = 0x0c;
export const ENGINES = 3;

/** Registers for all engines. */
export const enum GlobalReg {
  Control = 0x2c,
  Status = 0x30,
  CodecAccess = 0x34,
}

export const LIST_ENTRIES = 32;
export const ENTRY_BYTES = 8;

/** Second dword of a list entry: samples, and what to do after them (13.2, "buffer descriptor list"). */
export const enum Entry {
  InterruptOnCompletion = 0x8000_0000,
  Samples = 0xffff,
}

export const enum EngineStatus {
  Halted = 0x01,
  CurrentIsLast = 0x02,
  LastDone = 0x04,
  BufferDone = 0x08,
  FifoError = 0x10,
  /** Cleared by writing one. */
  Clearable = 0x1c,
}

export const enum EngineControl {
  Run = 0x01,
  Reset = 0x02,
  LastInterrupt = 0x04,
  FifoInterrupt = 0x08,
  BufferInterrupt = 0x10,
  Writable = 0x1d,
}

export const enum GlobalControl {
  /** Low resets the codec. */
  ColdResetOff = 0x02,
  WarmReset = 0x04,
  LinkOff = 0x08,
  Writable = 0x3b,
}

export const enum GlobalStatus {
  CodecReady = 0x100,
  /** The last read of the codec got no answer; cleared by writing one. */
  ReadFailed = 0x8000,
  /** Bits for drivers. */
  Scratch = 0x3_0000,
}
/** Interrupt bits of the global status, by engine. */
export const ENGINE_INTERRUPTS = [0x20, 0x40, 0x80] as const;

/** Codec registers. */
export const enum Mixer {
  Reset = 0x00,
  Master = 0x02,
  PcmOut = 0x18,
  PowerDown = 0x26,
  ExtendedId = 0x28,
  ExtendedControl = 0x2a,
  FrontRate = 0x2c,
  RecordRate = 0x32,
  MicrophoneRate = 0x34,
}

/** Variable rates for PCM, and for the microphone. */
export const enum Extended {
  VariableRate = 0x01,
  VariableMicrophoneRate = 0x08,
}

/** Values after reset and bits that can be written, by register; what is not listed reads zero. */
export const MIXER_REGISTERS: ReadonlyMap<number, readonly [initial: number, writable: number]> = new Map([
  [Mixer.Reset, [0, 0]],
  [Mixer.Master, [0x8000, 0x9f1f]],
  [0x04, [0x8000, 0x9f1f]],
  [0x06, [0x8000, 0x801f]],
  [0x0a, [0x0000, 0x801e]],
  [0x0c, [0x8008, 0x801f]],
  [0x0e, [0x8008, 0x805f]],
  [0x10, [0x8808, 0x9f1f]],
  [0x12, [0x8808, 0x9f1f]],
  [0x14, [0x8808, 0x9f1f]],
  [0x16, [0x8808, 0x9f1f]],
  [Mixer.PcmOut, [0x8808, 0x9f1f]],
  [0x1a, [0x0000, 0x0707]],
  [0x1c, [0x8000, 0x8f0f]],
  [0x1e, [0x8000, 0x800f]],
  [0x20, [0x0000, 0x8380]],
  [Mixer.PowerDown, [0x000f, 0xff00]],
  // Revision 2.2, variable rates.
  [Mixer.ExtendedId, [0x0809, 0]],
  [Mixer.ExtendedControl, [0x0000, Extended.VariableRate | Extended.VariableMicrophoneRate]],
  [Mixer.FrontRate, [48_000, 0xffff]],
  [Mixer.RecordRate, [48_000, 0xffff]],
  [Mixer.MicrophoneRate, [48_000, 0xffff]],
  [0x7c, [0x8384, 0]],
  [0x7e, [0x7600, 0]],
]);

/** Outputs with 5-bit volumes: a value beyond them is the least volume (5.7.2). */
export const WIDE_VOLUMES: readonly number[] = [Mixer.Master, 0x04, 0x06];
export const MUTE = 0x8000;
export const FIXED_RATE = 48_000;
export const MIN_RATE = 4000;
/** Reads of a codec register that does not answer. */
export const NO_ANSWER = 0xffff;
