// SPDX-License-Identifier: Apache-2.0
import { Extended, FIXED_RATE, MIN_RATE, Mixer, MIXER_REGISTERS, MUTE, WIDE_VOLUMES } from "./registers.js";

type Registers = { [offset: string]: number };

/** Decibels of one step of a volume (AC '97, 5.7.2), and the step of PCM volumes that changes nothing (5.7.4). */
const STEP_DB = 1.5;
const UNITY_STEP = 8;

const POWERED = 0x000f;
/** Bits of power-down that take each bit of readiness away: ADC, DAC, analogue mixer, reference (5.7.14). */
const POWER_DOWN = [0x0100, 0x0200, 0x0c00, 0x0800] as const;

function readiness(value: number): number {
  return POWER_DOWN.reduce((ready, bits, i) => ((value & bits) === 0 ? ready : ready & ~(1 << i)), POWERED);
}

/** A driver's write of a codec register other than the one for reset. */
export function writeMixer(registers: Registers, offset: number, value: number): void {
  const known = MIXER_REGISTERS.get(offset);
  if (known === undefined) return;
  const [initial, writable] = known;
  let wanted = value;
  if (WIDE_VOLUMES.includes(offset))
    wanted |= ((value & 0x20) === 0 ? 0 : 0x1f) | ((value & 0x2000) === 0 ? 0 : 0x1f00);
  const rates: readonly number[] = [Mixer.FrontRate, Mixer.RecordRate, Mixer.MicrophoneRate];
  if (rates.includes(offset)) {
    if (!mayVary(registers, offset)) return;
    // What a driver reads back is the rate that it gets (A.2.3).
    wanted = Math.min(Math.max(value, MIN_RATE), FIXED_RATE);
  }
  registers[offset] = (initial & ~writable) | (wanted & writable);
  if (offset === Mixer.PowerDown) registers[offset] = (wanted & writable) | readiness(wanted);
  // Without variable rates, rates are what they were (A.2.2).
  if (offset === Mixer.ExtendedControl)
    for (const rate of rates) if (!mayVary(registers, rate)) registers[rate] = FIXED_RATE;
}

function mayVary(registers: Registers, rate: number): boolean {
  const bit = rate === Mixer.MicrophoneRate ? Extended.VariableMicrophoneRate : Extended.VariableRate;
  return ((registers[Mixer.ExtendedControl] ?? 0) & bit) !== 0;
}

function gainOf(register: number, unity: number): readonly [number, number] {
  if ((register & MUTE) !== 0) return [0, 0];
  const gain = (steps: number): number => 10 ** ((-STEP_DB * (steps - unity)) / 20);
  return [gain((register >> 8) & 0x1f), gain(register & 0x1f)];
}

/** What the master and PCM volumes make of a sample: factors for left and right. */
export function playbackGain(registers: Registers): readonly [number, number] {
  const master = gainOf(registers[Mixer.Master] ?? MUTE, 0);
  const pcm = gainOf(registers[Mixer.PcmOut] ?? MUTE, UNITY_STEP);
  const powered = (readiness(registers[Mixer.PowerDown] ?? 0) & 0b1110) === 0b1110 ? 1 : 0;
  return [master[0] * pcm[0] * powered, master[1] * pcm[1] * powered];
}
