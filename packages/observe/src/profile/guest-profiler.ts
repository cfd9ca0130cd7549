// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory, GuestSample, SampleSink } from "@isola/ports";
import type { SymbolTable } from "../symbols/symbol-table.js";
import { frameChain } from "./frame-pointers.js";
import { LinuxKernel } from "./linux-kernel.js";
import type { Profile, ProfiledStack } from "./profile.js";

export interface ProfilerOptions {
  /** Host time in ns between two samples of a vCPU. */
  readonly period: number;
  /** Symbols of the guest's kernel; null: a 64-bit Linux kernel's are found in its memory. */
  readonly kernel: SymbolTable | null;
  /** Symbols of other programs, at the addresses where they run. */
  readonly programs: readonly SymbolTable[];
}

/** Stacks that are kept apart; what is beyond counts in one. */
const MAX_STACKS = 50_000;
const OVERFLOW = "[too many stacks]";
const OUTSIDE = "[outside the guest]";
/** Where 64-bit Linux loads modules. */
const MODULES_START = 0xffff_ffff_c000_0000n;
const MODULES_END = 0xffff_ffff_ff00_0000n;
/** A name comes from the guest: nothing in it may look like a separator, and it ends. */
const UNSAFE = /[^\x21-\x3a\x3c-\x7e]/g;
const MAX_NAME = 200;

interface Weight {
  time: number;
  samples: number;
}

interface RawStack extends Weight {
  readonly user: boolean;
  /** Innermost first. The first is an instruction, the others are return addresses. */
  readonly addresses: readonly bigint[];
}

/**
 * Adds up samples by their stacks. Stacks of a 64-bit Linux kernel are unwound by its own tables, others by frame
 * pointers where there are some. Names are put in when the profile is read, or when the guest's memory is about to go.
 */
export class GuestProfiler implements SampleSink {
  readonly period: number;
  private readonly kernel: LinuxKernel;
  private raw = new Map<string, RawStack>();
  private readonly named = new Map<string, Weight>();
  private outsideTime = 0;
  private samples = 0;
  private sawKernelSymbols = false;

  constructor(private readonly options: ProfilerOptions) {
    this.period = options.period;
    this.kernel = new LinuxKernel(options.kernel);
  }

  sample(sample: GuestSample, memory: GuestMemory): void {
    this.samples++;
    this.kernel.observe(sample, memory);
    const addresses = [sample.rip, ...this.callers(sample, memory)];
    const key = `${sample.user ? "u" : "k"}${addresses.join()}`;
    const known = this.raw.get(key);
    if (known !== undefined) {
      known.time += sample.time;
      known.samples++;
    } else if (this.raw.size < MAX_STACKS) {
      this.raw.set(key, { user: sample.user, addresses, time: sample.time, samples: 1 });
    } else this.add([OVERFLOW], { time: sample.time, samples: 1 });
  }

  outside(time: number): void {
    this.outsideTime += time;
  }

  settle(): void {
    this.nameStacks();
    this.kernel.forget();
  }

  /** What was sampled so far. */
  profile(): Profile {
    this.nameStacks();
    const stacks: ProfiledStack[] = [...this.named].map(([key, { time, samples }]) => ({
      frames: key.split(";"),
      time,
      samples,
    }));
    if (this.outsideTime > 0) stacks.push({ frames: [OUTSIDE], time: this.outsideTime, samples: 0 });
    stacks.sort((a, b) => b.time - a.time);
    const time = stacks.reduce((sum, stack) => sum + stack.time, 0);
    return { stacks, time, samples: this.samples, kernelSymbols: this.sawKernelSymbols };
  }

  private callers(sample: GuestSample, memory: GuestMemory): bigint[] {
    const unwinder = sample.user ? null : (this.kernel.known?.unwinder ?? null);
    return unwinder === null ? frameChain(sample, memory) : unwinder.callers(sample, memory);
  }

  private nameStacks(): void {
    const kernel = this.kernel.known?.symbols ?? null;
    if (kernel !== null) this.sawKernelSymbols = true;
    const tables = kernel === null ? this.options.programs : [kernel, ...this.options.programs];
    const names = new Map<string, string>();
    const nameOf = (address: bigint, user: boolean): string => {
      const key = `${user ? "u" : "k"}${address}`;
      const name = names.get(key) ?? frameName(tables, address, user);
      names.set(key, name);
      return name;
    };
    for (const { user, addresses, time, samples } of this.raw.values()) {
      const frames = addresses.map((address, i) => nameOf(i === 0 ? address : address - 1n, user));
      frames.push(user ? "user" : "kernel");
      this.add(frames.reverse(), { time, samples });
    }
    this.raw = new Map();
  }

  private add(frames: readonly string[], { time, samples }: Weight): void {
    const full = frames.join(";");
    const key = this.named.size <= MAX_STACKS || this.named.has(full) ? full : OVERFLOW;
    const known = this.named.get(key);
    if (known === undefined) this.named.set(key, { time, samples });
    else {
      known.time += time;
      known.samples += samples;
    }
  }
}

/** Name of the function at `address`; where none is known, of the 4 KiB page. */
function frameName(tables: readonly SymbolTable[], address: bigint, user: boolean): string {
  for (const table of tables) {
    const name = table.nameOf(address);
    if (name !== null) return name.replace(UNSAFE, "_").slice(0, MAX_NAME);
  }
  if (!user && address >= MODULES_START && address < MODULES_END) return "[module]";
  return `0x${(address >> 12n).toString(16)}000`;
}
