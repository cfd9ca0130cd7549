// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  APIC_MMIO_SIZE,
  ApicBus,
  type BalloonReport,
  type Lapic,
  type Picture,
  vgaPicture,
  vgaText,
} from "@isola/devices";
import {
  type BootFile,
  type BootState,
  guestMemoryMap,
  loadFlatBinary,
  loadKernel,
  writeAcpiTables,
  writeSmbios,
} from "@isola/firmware";
import { type KeptTranslationsOptions, X86Engine } from "@isola/isa-x86";
import { Bus, type IoHandler } from "@isola/memory";
import type { Entropy, VsockEvents, VsockStream } from "@isola/ports";
import { acpiDescription } from "./acpi-description.js";
import type { Board, BoardContext } from "./board.js";
import { checkConfig, type MachineConfig } from "./config.js";
import type { MachineStatistics } from "./counters.js";
import type { KeyInput, MouseInput } from "./input.js";
import { type MachineClock, VirtualClock, WallClock } from "./machine-clock.js";
import type { MachinePorts, TranslationCache } from "./machine-ports.js";
import { MachineDebugger } from "./machine-debugger.js";
import { MicrovmBoard } from "./microvm-board.js";
import { PcBoard, pcExtraMemory } from "./pc-board.js";
import { GuestSampler } from "./guest-sampler.js";
import { MachineTracer } from "./machine-tracer.js";
import { LAPIC_ADDRESS, RESERVED_RANGES } from "./memory-layout.js";
import { readStatistics, type StatisticsSources } from "./machine-statistics.js";
import { ObservedWasm } from "./observed-wasm.js";
import { type RunOutcome, Scheduler } from "./scheduler.js";
import { seededEntropy } from "./seeded-entropy.js";
import { smbiosDescription } from "./smbios-description.js";
import { TimerQueue } from "./timer-queue.js";
import { X86Vcpu } from "./x86-vcpu.js";

/** Each vCPU sees its own local APIC at the same address; an access comes from the vCPU that runs. */
function lapicWindow(lapics: readonly Lapic[], current: () => number): IoHandler {
  return {
    read: (offset, size) => lapics[current()]?.handler.read(offset, size) ?? 0,
    write: (offset, size, value) => lapics[current()]?.handler.write(offset, size, value),
  };
}

/** A whole computer: vCPUs, memory, devices. Built switched off; {@link boot} switches it on. */
export class Machine {
  onWake: () => void = () => {};
  onSerialReady: (port: number) => void = () => {};
  private readonly clock: MachineClock;
  /** Guest RAM, the records of the vCPUs, translated code: for debuggers and tests, which only look. */
  readonly engine: X86Engine;
  private readonly vcpus: readonly X86Vcpu[];
  private readonly scheduler: Scheduler;
  private readonly board: Board;
  private readonly sources: StatisticsSources;
  private readonly tracer: MachineTracer | null;
  private readonly sampler: GuestSampler | null;
  /** For a debugger; to be used between two calls of {@link run} only. */
  readonly debugger: MachineDebugger;
  private readonly usage = { hostTime: 0, shares: 0, boots: 0 };

  /** Throws OperatorError if the configuration is impossible or names a file or store that the host does not have. */
  constructor(
    private readonly config: MachineConfig,
    private readonly ports: MachinePorts,
  ) {
    checkConfig(config);
    const clock = config.clock === "virtual" ? new VirtualClock(config.epochMs) : new WallClock(ports.clock);
    this.clock = clock;
    const entropy = config.entropySeed === null ? ports.entropy : seededEntropy(config.entropySeed);
    const timers = new TimerQueue(() => clock.now());
    const io = new Bus("I/O ports");
    const mmio = new Bus("physical memory");
    const apics = new ApicBus();
    const wasm = new ObservedWasm(ports.wasm, ports.clock);
    this.engine = new X86Engine({
      wasm,
      modules: ports.modules,
      ramSize: config.memory,
      ...(config.preset === "pc" ? { extraMemory: pcExtraMemory(config, ports.files) } : {}),
      cpuCount: config.cpus,
      mmio,
      translation: config.translation,
      ticks: () => Math.floor(clock.now()),
      estimateTicks: !clock.virtual,
      timer: { now: () => ports.clock.now(), moduleTime: () => wasm.time },
      ...(ports.translations === undefined ? {} : { keptTranslations: withSecret(ports.translations, ports.entropy) }),
    });
    this.vcpus = Array.from(
      { length: config.cpus },
      (_, index) =>
        new X86Vcpu({
          engine: this.engine,
          index,
          cpuCount: config.cpus,
          io,
          apics,
          timers,
          entropy,
          externalVector: () => this.board.pic.acknowledge(),
          onInterrupt: () => this.scheduler.wake(index),
          onInit: () => this.scheduler.init(index),
          onStartUp: (vector) => this.scheduler.startUp(index, vector),
        }),
    );
    this.scheduler = new Scheduler(this.vcpus, clock, timers);
    this.scheduler.onWake = () => this.onWake();
    if (clock instanceof VirtualClock) clock.inSlice = () => this.scheduler.retiredInSlice();
    const lapics = this.vcpus.map((vcpu) => vcpu.lapic);
    mmio.map(
      LAPIC_ADDRESS,
      APIC_MMIO_SIZE,
      lapicWindow(lapics, () => this.scheduler.current),
      "lapic",
    );
    const context: BoardContext = {
      config,
      ports,
      entropy,
      ram: this.engine.ram,
      physical: this.engine.physical,
      io,
      mmio,
      clock,
      timers,
      apics,
      lint0: { set: (asserted) => lapics[0]?.lint0.set(asserted) },
      stop: (request) => this.scheduler.requestStop(request),
      onSerialReady: (port) => this.onSerialReady(port),
    };
    this.board = config.preset === "pc" ? new PcBoard(context) : new MicrovmBoard(context);
    const { engine, vcpus, scheduler, board } = this;
    wasm.begin();
    this.debugger = new MachineDebugger({ engine, vcpus, scheduler });
    this.sources = { engine, wasm, vcpus, scheduler, timers, board, io, mmio };
    const { stores, sinks } = board;
    this.tracer =
      ports.trace === undefined
        ? null
        : new MachineTracer(ports.trace, ports.clock, { vcpus, engine, wasm, stores, sinks });
    this.sampler =
      ports.profile === undefined ? null : new GuestSampler(ports.profile, ports.clock, vcpus, clock.virtual);
    scheduler.observers = [this.tracer, this.sampler].filter((observer) => observer !== null);
  }

  get serialPorts(): number {
    return this.board.uarts.length;
  }

  /** Instructions that have retired since the machine was built. */
  get retired(): number {
    return this.scheduler.retired;
  }

  /** Power-on reset: devices, firmware tables, boot source, first vCPU. Throws OperatorError if that cannot be booted. */
  boot(): void {
    this.usage.boots++;
    this.tracer?.booted();
    this.sampler?.settle();
    this.board.reset();
    for (const vcpu of this.vcpus) vcpu.reset(null, false);
    this.vcpus[0]?.reset(this.loadBootSource(), true);
    this.scheduler.reset();
  }

  run(share: number): RunOutcome {
    const start = this.ports.clock.now();
    const outcome = this.chipsetOutcome(this.scheduler.run(share));
    this.usage.shares++;
    this.usage.hostTime += this.ports.clock.now() - start;
    this.tracer?.ran(start, outcome.kind);
    this.sampler?.ran(this.ports.clock.now() - start);
    return outcome;
  }

  /** All counters, as plain data. */
  statistics(): MachineStatistics {
    return readStatistics(this.sources, { guestTime: this.clock.now(), ...this.usage });
  }

  /** What the next machine with this guest may begin with; null if nothing is kept, or nothing is new. */
  saveTranslations(): Iterable<Uint8Array> | null {
    return this.engine.translator.saveTranslations();
  }

  pauseTime(): void {
    this.clock.pause();
  }

  resumeTime(): void {
    this.clock.resume();
  }

  pressPowerButton(): void {
    this.board.power.pressPowerButton();
  }

  injectNmi(): void {
    this.vcpus[0]?.raiseNmi();
  }

  serialInput(port: number, bytes: Uint8Array): number {
    return this.board.serialInput(port, bytes);
  }

  /** What the display shows now; null if the machine has none, or it is switched off. */
  screen(): Picture | null {
    const { gpu, vga } = this.board;
    const picture = gpu?.picture() ?? null;
    if (picture !== null) return picture;
    return vga === null ? null : vgaPicture(vga.registers, vga.memory);
  }

  /** Lines of a text screen; null if there is no display, or it shows graphics or nothing. */
  screenText(): string[] | null {
    const { gpu, vga } = this.board;
    return vga === null || (gpu?.picture() ?? null) !== null ? null : vgaText(vga.registers, vga.memory);
  }

  /** Presses a key or lets it go; see {@link KeyInput}. A machine without a keyboard ignores it. */
  keyInput(input: KeyInput): void {
    this.board.inputs.key(input);
  }

  /** Moves the mouse; see {@link MouseInput}. A machine without one ignores it. */
  mouseInput(input: MouseInput): void {
    this.board.inputs.move(input);
  }

  /** Asks the guest for all but `memory` bytes of its RAM; see {@link balloonState}. Throws without a balloon. */
  setBalloon(memory: number): void {
    const { balloon } = this.board;
    if (balloon === null)
      throw new OperatorError("no-balloon", "the machine has no balloon: give --balloon at its start");
    balloon.setTarget(memory);
  }

  /** How much memory the guest has left itself, and what it says of it; null without a balloon. */
  balloonState(): BalloonReport | null {
    return this.board.balloon?.report() ?? null;
  }

  /** Connects to a vsock port of the guest; null if there is no such device, or no driver runs. */
  dial(port: number, events: VsockEvents): VsockStream | null {
    return this.board.vsock?.dial(port, events) ?? null;
  }

  describeVcpu(index: number): string {
    return this.vcpus[index]?.describe() ?? "";
  }

  async close(): Promise<void> {
    this.tracer?.close();
    await this.board.close();
  }

  /** A PC's chip set answers the shutdown cycle of a processor with a reset; a microvm ends, and shows why. */
  private chipsetOutcome(outcome: RunOutcome): RunOutcome {
    if (outcome.kind !== "shutdown" || this.config.preset !== "pc") return outcome;
    this.ports.log.warn(`triple fault on vCPU ${outcome.vcpu}; the machine is reset`);
    return { kind: "reset" };
  }

  /** State in which the first vCPU starts; null for that after reset, in which firmware is entered. */
  private loadBootSource(): BootState | null {
    const { config, engine } = this;
    const { ram } = engine;
    if (config.boot.kind === "firmware") return null;
    const rsdp = writeAcpiTables(ram, acpiDescription(config.cpus, config.serialPorts));
    writeSmbios(ram, smbiosDescription(config));
    const { boot } = config;
    if (boot.kind === "flat") return loadFlatBinary(ram, this.file(boot.file), boot.address, boot.mode);
    const request = {
      kernel: this.file(boot.kernel),
      modules: boot.modules.map((name) => this.file(name)),
      commandLine: boot.commandLine,
      rsdp,
    };
    return loadKernel(ram, request, guestMemoryMap(ram, RESERVED_RANGES));
  }

  private file(name: string): BootFile {
    const bytes = this.ports.files[name];
    if (bytes === undefined) throw new OperatorError("no-such-file", `the host has no file "${name}"`);
    return { name, bytes };
  }
}

function withSecret(cache: TranslationCache, entropy: Entropy): KeptTranslationsOptions {
  const random = new DataView(new ArrayBuffer(8));
  entropy.fill(new Uint8Array(random.buffer));
  return { ...cache, secret: [random.getUint32(0), random.getUint32(4)] };
}
