// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import type { Timer, Timers } from "@isola/ports";
import { checkState, copyState, type Device } from "../device.js";
import { PitChannel } from "./channel.js";
import { Control, MIN_PERIOD_NS, PIT_HZ, Port, Port61, ReadBack, REFRESH_PERIOD_NS } from "./registers.js";
import { type PitState, pitResetState } from "./state.js";

/** Input clocks in `ns` nanoseconds. */
function ticksIn(ns: number): number {
  return Math.floor((ns * PIT_HZ) / 1e9);
}

/** First nanosecond at which `tick` clocks have passed. */
function nsOf(tick: number): number {
  const ns = Math.ceil((tick * 1e9) / PIT_HZ);
  return ticksIn(ns) >= tick ? ns : ns + 1;
}

/** Told of every write that can change what the loudspeaker plays. */
export interface SpeakerWatcher {
  beforeChange(): void;
  changed(): void;
}

/** The 8254 of a PC: channel 0 drives an interrupt line, channel 2 is gated and watched through port 0x61. */
export class Pit8254 implements Device<PitState> {
  /** Ports 0x40-0x43. */
  readonly handler: IoHandler = {
    read: (offset) => (offset >= Port.Control ? 0xff : this.channels[offset].read(this.now())),
    write: (offset, _size, value) => {
      const forSpeaker = offset === Port.Channel2 || offset === Port.Control;
      if (forSpeaker) this.speaker?.beforeChange();
      if (offset === Port.Control) this.writeControl(value & 0xff);
      else if (offset < Port.Control) this.channels[offset].writeCount(value & 0xff, this.now());
      if (offset === Port.Channel0 || offset === Port.Control) this.driveOutput();
      if (forSpeaker) this.speaker?.changed();
    },
  };
  /** Port 0x61. */
  readonly port61Handler: IoHandler = {
    read: () => this.readPort61(),
    write: (_offset, _size, value) => {
      this.speaker?.beforeChange();
      this.port61 = value & Port61.Writable;
      this.channels[Port.Channel2].setGate((value & Port61.Gate2) !== 0, this.now());
      this.speaker?.changed();
    },
  };
  private readonly channels = [new PitChannel(true), new PitChannel(true), new PitChannel(false)];
  private readonly timer: Timer;
  private port61 = 0;
  private deadline = -1;
  private speaker: SpeakerWatcher | null = null;

  /** @param irq driven by channel 0 */
  constructor(
    private readonly irq: IrqLine,
    private readonly timers: Timers,
  ) {
    this.timer = timers.create(() => this.onDeadline());
  }

  /** Port 0x61 lets channel 2 through to the loudspeaker. */
  get speakerOn(): boolean {
    return (this.port61 & Port61.Speaker) !== 0;
  }

  /** Channel 2 makes a wave that goes on by itself. */
  get speakerTone(): boolean {
    return this.channels[Port.Channel2].oscillates;
  }

  /** Share of the time between two ticks of the input clock, whole or not, in which channel 2 is high. */
  speakerShare(from: number, to: number): number {
    return this.channels[Port.Channel2].highShare(from, to);
  }

  /** Connects the one loudspeaker. */
  watchSpeaker(watcher: SpeakerWatcher): void {
    this.speaker = watcher;
  }

  reset(): void {
    for (const channel of this.channels) channel.reset();
    this.port61 = 0;
    this.driveOutput();
  }

  save(): PitState {
    return {
      ...pitResetState(),
      channels: this.channels.map((channel) => copyState(channel.s)),
      port61: this.port61,
      deadline: this.deadline,
    };
  }

  restore(state: PitState): void {
    checkState(state, "pit8254", 1);
    this.channels.forEach((channel, i) => (channel.s = copyState(state.channels[i])));
    this.port61 = state.port61;
    this.deadline = state.deadline;
    if (this.deadline >= 0) this.timer.set(this.deadline);
    else this.timer.cancel();
  }

  private now(): number {
    return ticksIn(this.timers.now());
  }

  private writeControl(value: number): void {
    const channel = value >> Control.ChannelShift;
    const tick = this.now();
    if (channel !== Control.ReadBack) {
      this.channels[channel].control(value, tick);
      return;
    }
    for (let i = 0; i < 3; i++) {
      if ((value & (2 << i)) === 0) continue;
      if ((value & ReadBack.NoCount) === 0) this.channels[i].latchCount(tick);
      if ((value & ReadBack.NoStatus) === 0) this.channels[i].latchStatus(tick);
    }
  }

  private readPort61(): number {
    const out2 = this.channels[Port.Channel2].output(this.now()) ? Port61.Out2 : 0;
    const refresh = Math.floor(this.timers.now() / REFRESH_PERIOD_NS) % 2 === 1 ? Port61.Refresh : 0;
    return this.port61 | refresh | out2;
  }

  private driveOutput(): void {
    const tick = this.now();
    const channel = this.channels[Port.Channel0];
    this.irq.set(channel.output(tick));
    this.schedule(channel.nextRise(tick), 0);
  }

  private onDeadline(): void {
    const tick = this.now();
    const channel = this.channels[Port.Channel0];
    // Receivers latch the edge, so the low part of the wave need not be played out in time.
    this.irq.set(false);
    this.irq.set(true);
    this.schedule(channel.nextRise(tick), MIN_PERIOD_NS);
  }

  private schedule(rise: number, atLeast: number): void {
    if (rise < 0) {
      this.deadline = -1;
      this.timer.cancel();
      return;
    }
    this.deadline = Math.max(nsOf(rise), this.timers.now() + atLeast);
    this.timer.set(this.deadline);
  }
}
