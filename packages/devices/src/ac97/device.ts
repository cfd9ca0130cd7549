// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine } from "@isola/memory";
import type { AudioOutput } from "../audio-output/device.js";
import { OUTPUT_CHANNELS, OUTPUT_RATE } from "../audio-output/registers.js";
import type { AudioSource } from "../audio-output/source.js";
import { checkState, copyState, type Device } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { playbackGain, writeMixer } from "./codec.js";
import { Engine } from "./engine.js";
import {
  AUDIO_CLASS,
  AUDIO_REVISION,
  BUS_MASTER_PORTS,
  DEVICE_82801AA_AUDIO,
  ENGINE_INTERRUPTS,
  ENGINE_PORTS,
  ENGINE_STRIDE,
  EngineReg,
  FIXED_RATE,
  GlobalControl,
  GlobalReg,
  GlobalStatus,
  INTEL_VENDOR,
  Mixer,
  MIXER_PORTS,
  NO_ANSWER,
} from "./registers.js";
import { type Ac97State, ac97State, mixerState } from "./state.js";

export interface Ac97Options {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  readonly intx: IrqLine;
  readonly output: AudioOutput;
  readonly name?: string;
}

/** Bytes of each engine register, by offset; the rest of the 16 is empty. */
const ENGINE_REGISTERS: ReadonlyMap<number, number> = new Map([
  [EngineReg.ListBase, 4],
  [EngineReg.Current, 1],
  [EngineReg.LastValid, 1],
  [EngineReg.Status, 2],
  [EngineReg.Left, 2],
  [EngineReg.Prefetched, 1],
  [EngineReg.Control, 1],
]);

/** An Intel 82801AA audio function with its codec. `pci` goes into a slot of the `PciHost`. */
export class Ac97 implements Device<Ac97State>, AudioSource {
  readonly pci: PciFunction;
  /** BAR 0: the codec. */
  readonly mixerHandler: IoHandler = {
    read: (offset, size) => this.readCodec(offset, size),
    write: (offset, size, value) => this.writeCodec(offset, size, value),
  };
  /** BAR 1: the bus masters. */
  readonly busMasterHandler: IoHandler = {
    read: (offset, size) => this.readPart(offset, size),
    write: (offset, size, value) => this.writePart(offset, size, value),
  };
  private s: Ac97State;
  private readonly engines: readonly Engine[];

  constructor(private readonly options: Ac97Options) {
    const { spaces, ram, intx, output, name } = options;
    this.pci = new PciFunction(spaces, {
      vendorId: INTEL_VENDOR,
      deviceId: DEVICE_82801AA_AUDIO,
      revision: AUDIO_REVISION,
      classCode: AUDIO_CLASS,
      subsystemVendorId: INTEL_VENDOR,
      subsystemId: 0,
      ...(name !== undefined && { name }),
    });
    this.pci.addBar({ index: 0, kind: "io", size: MIXER_PORTS, handler: this.mixerHandler });
    this.pci.addBar({ index: 1, kind: "io", size: BUS_MASTER_PORTS, handler: this.busMasterHandler });
    this.pci.connectPin(1, intx);
    this.pci.seal();
    this.s = ac97State(this.pci.save());
    const engine = (rate: Mixer, channels: number, plays: boolean): Engine =>
      new Engine(ram, { channels, plays, rate: () => this.s.mixer[rate] ?? FIXED_RATE }, () => this.pci.busMaster);
    this.engines = [
      engine(Mixer.RecordRate, 2, false),
      engine(Mixer.FrontRate, 2, true),
      engine(Mixer.MicrophoneRate, 1, false),
    ];
    this.connectEngines();
    output.add(this);
  }

  reset(): void {
    this.pci.reset();
    this.s = ac97State(this.pci.save());
    this.connectEngines();
  }

  save(): Ac97State {
    return { ...copyState(this.s), engines: this.engines.map(({ s }) => copyState(s)), pci: this.pci.save() };
  }

  restore(state: Ac97State): void {
    checkState(state, "ac97", 1);
    this.s = copyState(state);
    this.connectEngines();
    this.pci.restore(state.pci);
  }

  active(): boolean {
    return this.engines.some(({ running }) => running);
  }

  framesToEvent(): number {
    return Math.min(...this.engines.map((engine) => (engine.running ? engine.framesToEvent() : Infinity)));
  }

  mix(_first: number, frames: number, sum: Float64Array): boolean {
    let ended = false;
    let heard = false;
    for (const engine of this.engines) {
      if (!engine.running) continue;
      if (engine.kind.plays) heard = true;
      ended = (engine.kind.plays ? this.play(engine, frames, sum) : record(engine, frames)) || ended;
    }
    if (ended) this.drivePin();
    return heard;
  }

  /** Rates below that of the output are converted by straight lines between frames. */
  private play(engine: Engine, frames: number, sum: Float64Array): boolean {
    const [left, right] = playbackGain(this.s.mixer);
    let ended = false;
    for (let i = 0; i < frames; i++) {
      ended = engine.step() || ended;
      const { frame, before, phase } = engine.s;
      const part = engine.kind.rate() === OUTPUT_RATE ? 1 : phase / OUTPUT_RATE;
      sum[OUTPUT_CHANNELS * i] += (before[0] + (frame[0] - before[0]) * part) * left;
      sum[OUTPUT_CHANNELS * i + 1] += (before[1] + (frame[1] - before[1]) * part) * right;
    }
    return ended;
  }

  private connectEngines(): void {
    this.engines.forEach((engine, i) => (engine.s = this.s.engines[i]));
  }

  private drivePin(): void {
    this.pci.setIntx(this.engines.some(({ interrupting }) => interrupting));
  }

  /** The codec answers reads of words only; a dword is two of them. */
  private readCodec(offset: number, size: AccessSize): number {
    this.s.codecAccess = false;
    if (size === 1 || (offset & 1) !== 0) return size === 1 ? 0xff : size === 2 ? NO_ANSWER : 0xffff_ffff;
    const low = this.readMixer(offset);
    return size === 2 ? low : (low | (this.readMixer(offset + 2) << 16)) >>> 0;
  }

  private readMixer(offset: number): number {
    if ((this.s.control & GlobalControl.LinkOff) === 0) return this.s.mixer[offset] ?? 0;
    this.s.status |= GlobalStatus.ReadFailed;
    return NO_ANSWER;
  }

  private writeCodec(offset: number, size: AccessSize, value: number): void {
    const { s, options } = this;
    s.codecAccess = false;
    if (size === 1 || (offset & 1) !== 0 || (s.control & GlobalControl.LinkOff) !== 0) return;
    options.output.catchUp();
    for (let i = 0; i < size; i += 2) {
      if (offset + i === Mixer.Reset) s.mixer = mixerState();
      else writeMixer(s.mixer, offset + i, (value >>> (8 * i)) & 0xffff);
    }
    options.output.changed();
  }

  /** Any access reaches whole registers, or parts of one. */
  private readPart(offset: number, size: AccessSize): number {
    this.options.output.catchUp();
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = (value << 8) | this.readByte(offset + i);
    return value >>> 0;
  }

  private engineAt(offset: number): Engine | null {
    return offset % ENGINE_STRIDE < ENGINE_PORTS ? (this.engines[Math.floor(offset / ENGINE_STRIDE)] ?? null) : null;
  }

  private readByte(offset: number): number {
    const engine = this.engineAt(offset);
    if (engine !== null) {
      const [start] = registerAt(offset % ENGINE_STRIDE);
      return (engine.read(start) >>> (8 * ((offset % ENGINE_STRIDE) - start))) & 0xff;
    }
    const shift = 8 * (offset & 3);
    switch (offset & ~3) {
      case GlobalReg.Control:
        return (this.s.control >>> shift) & 0xff;
      case GlobalReg.Status:
        return (this.globalStatus() >>> shift) & 0xff;
      case GlobalReg.CodecAccess: {
        if (offset !== GlobalReg.CodecAccess) return 0;
        // A semaphore: who reads zero may use the codec, and gives it back by using it (13.2.10).
        const taken = this.s.codecAccess;
        this.s.codecAccess = true;
        return taken ? 1 : 0;
      }
      default:
        return 0;
    }
  }

  private globalStatus(): number {
    const ready = (this.s.control & GlobalControl.LinkOff) === 0 ? GlobalStatus.CodecReady : 0;
    return this.engines.reduce(
      (status, { interrupting }, i) => status | (interrupting ? ENGINE_INTERRUPTS[i] : 0),
      this.s.status | ready,
    );
  }

  private writePart(offset: number, size: AccessSize, value: number): void {
    const { output } = this.options;
    output.catchUp();
    const engine = this.engineAt(offset);
    if (engine !== null) this.writeEngine(engine, offset % ENGINE_STRIDE, size, value);
    else this.writeGlobal(offset, size, value);
    this.s.engines = this.engines.map(({ s }) => s);
    this.drivePin();
    output.changed();
  }

  private writeEngine(engine: Engine, offset: number, size: AccessSize, value: number): void {
    let done = 0;
    while (done < size && offset + done < ENGINE_PORTS) {
      const [start, length] = registerAt(offset + done);
      const shift = 8 * (offset + done - start);
      const bytes = Math.min(size - done, length - (offset + done - start));
      const mask = (bytes === 4 ? 0xffff_ffff : (1 << (8 * bytes)) - 1) << shift;
      // What clears when ones are written must not be written back.
      const old = start === EngineReg.Status ? 0 : engine.read(start);
      const part = bytes === 4 ? value : (value >>> (8 * done)) & ((1 << (8 * bytes)) - 1);
      engine.write(start, ((old & ~mask) | ((part << shift) & mask)) >>> 0);
      done += bytes;
    }
  }

  private writeGlobal(offset: number, size: AccessSize, value: number): void {
    const { s } = this;
    const shift = 8 * (offset & 3);
    const mask = (size === 4 ? 0xffff_ffff : (1 << (8 * size)) - 1) << shift;
    const bits = (value << shift) & mask;
    if ((offset & ~3) === GlobalReg.Control) {
      const control = (s.control & ~mask) | bits;
      if ((control & GlobalControl.ColdResetOff) === 0) s.mixer = mixerState();
      s.control = control & GlobalControl.Writable;
    } else if ((offset & ~3) === GlobalReg.Status) {
      const scratch = (s.status & GlobalStatus.Scratch & ~mask) | (bits & GlobalStatus.Scratch);
      s.status = scratch | (s.status & GlobalStatus.ReadFailed & ~bits);
    }
  }
}

/** Start and length of the engine register that a byte belongs to. */
function registerAt(offset: number): readonly [number, number] {
  for (const [start, length] of ENGINE_REGISTERS)
    if (offset >= start && offset < start + length) return [start, length];
  return [offset, 1];
}

function record(engine: Engine, frames: number): boolean {
  let ended = false;
  for (let i = 0; i < frames; i++) ended = engine.step() || ended;
  return ended;
}
