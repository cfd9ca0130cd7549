// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine, MsiSink } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device, type Pausable } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { Msix, MSIX_REGION_SIZE } from "../pci/msix.js";
import { WorkUnderWay } from "../work-under-way.js";
import { type Controller, executeAdmin } from "./admin-commands.js";
import { NvmeCommand, type Outcome, refused } from "./command.js";
import { Features } from "./features.js";
import { executeIo } from "./io-commands.js";
import { CompletionQueue, SubmissionQueue } from "./queues.js";
import {
  AdminCommand,
  CAPABILITIES_HIGH,
  CAPABILITIES_LOW,
  COMPLETION_ENTRY,
  Config,
  ControllerStatus,
  IO_QUEUES,
  MAX_EVENT_REQUESTS,
  MAX_IN_FLIGHT,
  MSIX_BAR,
  NVME_IDENTITY,
  PAGE_SIZE,
  Reg,
  REGISTER_BAR,
  REGISTER_SPACE,
  Status,
  SUBMISSION_ENTRY,
  VERSION,
} from "./registers.js";
import type { NvmeState } from "./state.js";

export interface NvmeOptions {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  readonly msi: MsiSink;
  /** INTA#, used while MSI-X is off. */
  readonly intx: IrqLine;
  readonly store: BlockStore;
  /** Serial number shown to the guest, at most 20 ASCII characters. */
  readonly serial: string;
  readonly name?: string;
  /** Called with each error of the store; the guest only learns that its command failed. */
  readonly onStoreError?: (error: unknown) => void;
}

/** What asynchronous events say: an error, of a doorbell, to be found in the error log (5.2). */
const DOORBELL_EVENT = 0x01_0000;
const INVALID_VALUE = 1 << 8;

/** An NVMe controller with a disk. `pci` goes into a slot of the `PciHost`. */
export class Nvme implements Device<NvmeState>, Pausable {
  readonly pci: PciFunction;
  /** BAR 0: registers and doorbells. */
  readonly registerHandler: IoHandler = {
    read: (offset, size) => partOf(this.readRegister(offset & ~3), offset, size),
    write: (offset, size, value) => this.writeRegister(offset, size, value),
  };
  /** BAR 4: MSI-X table and pending bits. */
  readonly msix: Msix;
  private readonly features = new Features();
  private readonly submissions = new Map<number, SubmissionQueue>();
  private readonly completions = new Map<number, CompletionQueue>();
  private readonly controller: Controller;
  private mask = 0;
  private configuration = 0;
  private status = 0;
  private adminAttributes = 0;
  private adminSubmission: [number, number] = [0, 0];
  private adminCompletion: [number, number] = [0, 0];
  private eventRequests: number[] = [];
  /** Bumped by every reset, so that late answers of the store are dropped. */
  private generation = 0;
  private readonly underWay = new WorkUnderWay();
  private serving = false;

  constructor(private readonly options: NvmeOptions) {
    const { spaces, msi, intx, store, serial, name } = options;
    this.pci = new PciFunction(spaces, { ...NVME_IDENTITY, ...(name !== undefined && { name }) });
    this.pci.addBar({ index: REGISTER_BAR, kind: "memory64", size: REGISTER_SPACE, handler: this.registerHandler });
    this.msix = new Msix(this.pci, IO_QUEUES + 1, MSIX_BAR, msi);
    this.pci.addBar({ index: MSIX_BAR, kind: "memory32", size: MSIX_REGION_SIZE, handler: this.msix.handler });
    this.pci.connectPin(1, intx);
    this.pci.seal();
    const { features, submissions, completions } = this;
    const hasVector = (vector: number): boolean => this.msix.has(vector);
    this.controller = { store, serial, features, submissions, completions, hasVector };
  }

  reset(): void {
    this.pci.reset();
    this.msix.reset();
    this.disable();
    this.mask = 0;
    this.configuration = 0;
    this.adminAttributes = 0;
    this.adminSubmission = [0, 0];
    this.adminCompletion = [0, 0];
  }

  save(): NvmeState {
    return copyState({
      device: "nvme",
      version: 1,
      pci: this.pci.save(),
      msix: this.msix.save(),
      mask: this.mask,
      configuration: this.configuration,
      status: this.status,
      adminAttributes: this.adminAttributes,
      adminSubmission: this.adminSubmission,
      adminCompletion: this.adminCompletion,
      submissions: [...this.submissions.values()].map(({ s }) => s),
      completions: [...this.completions.values()].map(({ s }) => s),
      features: this.features.save(),
      eventRequests: this.eventRequests,
    });
  }

  restore(saved: NvmeState): void {
    checkState(saved, "nvme", 1);
    const state = copyState(saved);
    this.forget();
    this.pci.restore(state.pci);
    this.msix.restore(state.msix);
    this.mask = state.mask;
    this.configuration = state.configuration;
    this.status = state.status;
    this.adminAttributes = state.adminAttributes;
    this.adminSubmission = state.adminSubmission;
    this.adminCompletion = state.adminCompletion;
    for (const queue of state.submissions) this.submissions.set(queue.id, new SubmissionQueue(queue));
    for (const queue of state.completions) this.completions.set(queue.id, new CompletionQueue(queue));
    this.features.restore(state.features);
    this.eventRequests = state.eventRequests;
  }

  /** Resolves when no command is under way; what is in the rings stays there. */
  pause(): Promise<void> {
    return this.underWay.pause();
  }

  resume(): void {
    this.underWay.resume();
    this.serve();
  }

  private get ready(): boolean {
    return (this.status & (ControllerStatus.Ready | ControllerStatus.Fatal)) === ControllerStatus.Ready;
  }

  private readRegister(offset: number): number {
    switch (offset) {
      case Reg.CapabilitiesLow:
        return CAPABILITIES_LOW;
      case Reg.CapabilitiesHigh:
        return CAPABILITIES_HIGH;
      case Reg.Version:
        return VERSION;
      case Reg.MaskSet:
      case Reg.MaskClear:
        return this.mask;
      case Reg.Configuration:
        return this.configuration;
      case Reg.Status:
        return this.status;
      case Reg.AdminAttributes:
        return this.adminAttributes;
      case Reg.AdminSubmissionLow:
      case Reg.AdminSubmissionHigh:
        return this.adminSubmission[(offset >> 2) & 1 ? 1 : 0];
      case Reg.AdminCompletionLow:
      case Reg.AdminCompletionHigh:
        return this.adminCompletion[(offset >> 2) & 1 ? 1 : 0];
      default:
        return 0;
    }
  }

  /** Registers may only be written as whole dwords. */
  private writeRegister(offset: number, size: AccessSize, value: number): void {
    if (size !== 4 || (offset & 3) !== 0) return;
    if (offset >= Reg.Doorbells) return this.doorbell((offset - Reg.Doorbells) >> 2, value & 0xffff);
    switch (offset) {
      case Reg.MaskSet:
        this.mask = (this.mask | value) >>> 0;
        return this.drivePin();
      case Reg.MaskClear:
        this.mask = (this.mask & ~value) >>> 0;
        return this.drivePin();
      case Reg.Configuration:
        return this.configure(value);
      case Reg.AdminAttributes:
        this.adminAttributes = value & 0x0fff_0fff;
        return;
      case Reg.AdminSubmissionLow:
        this.adminSubmission[0] = (value & ~(PAGE_SIZE - 1)) >>> 0;
        return;
      case Reg.AdminSubmissionHigh:
        this.adminSubmission[1] = value;
        return;
      case Reg.AdminCompletionLow:
        this.adminCompletion[0] = (value & ~(PAGE_SIZE - 1)) >>> 0;
        return;
      case Reg.AdminCompletionHigh:
        this.adminCompletion[1] = value;
        return;
      default:
        return;
    }
  }

  private configure(value: number): void {
    const before = this.configuration;
    this.configuration = (value & Config.Writable) >>> 0;
    const enabled = (value & Config.Enable) !== 0;
    const wasEnabled = (before & Config.Enable) !== 0;
    if (!enabled && wasEnabled) this.disable();
    if (enabled && !wasEnabled) this.enable();
    if ((value & Config.ShutdownMask) !== 0 && (before & Config.ShutdownMask) === 0) this.shutDown();
  }

  private disable(): void {
    this.forget();
    this.drivePin();
  }

  /** Forgets the queues and whatever is under way. */
  private forget(): void {
    this.generation++;
    for (const { deleting } of this.submissions.values()) deleting?.();
    this.submissions.clear();
    this.completions.clear();
    this.features.reset();
    this.eventRequests = [];
    this.status = 0;
  }

  private enable(): void {
    const { configuration, adminAttributes } = this;
    const submission = (configuration >>> Config.SubmissionShift) & 15 || SUBMISSION_ENTRY;
    const completion = (configuration >>> Config.CompletionShift) & 15 || COMPLETION_ENTRY;
    const sizes = [(adminAttributes & 0xfff) + 1, (adminAttributes >>> 16) + 1];
    const supported = (configuration & Config.Unsupported) === 0 && sizes.every((size) => size >= 2);
    if (!supported || submission !== SUBMISSION_ENTRY || completion !== COMPLETION_ENTRY) return this.fatal();
    const [low, high] = this.adminSubmission;
    const start = { id: 0, head: 0, tail: 0 };
    this.submissions.set(
      0,
      new SubmissionQueue({ ...start, base: high * 2 ** 32 + low, size: sizes[0], completion: 0 }),
    );
    const base = this.adminCompletion[1] * 2 ** 32 + this.adminCompletion[0];
    const admin = { ...start, base, size: sizes[1], phase: true, vector: 0, interrupts: true };
    this.completions.set(0, new CompletionQueue(admin));
    this.status |= ControllerStatus.Ready;
  }

  private fatal(): void {
    this.status |= ControllerStatus.Fatal;
  }

  /** Shutdown (7.6.2): done when the store has everything. */
  private shutDown(): void {
    const { generation } = this;
    this.setShutdown(ControllerStatus.ShutdownBusy);
    const done = (): void => {
      if (generation === this.generation) this.setShutdown(ControllerStatus.ShutdownDone);
    };
    try {
      const flushed = this.options.store.flush();
      if (!(flushed instanceof Promise)) return done();
      this.underWay.began();
      void flushed
        .catch((error: unknown) => this.options.onStoreError?.(error))
        .then(() => {
          done();
          this.ended();
        });
    } catch (error) {
      this.options.onStoreError?.(error);
      done();
    }
  }

  private setShutdown(state: ControllerStatus): void {
    this.status = (this.status & ~ControllerStatus.ShutdownMask) | state;
  }

  private doorbell(index: number, value: number): void {
    if (!this.ready) return;
    const queue = (index & 1) === 0 ? this.submissions.get(index >> 1) : this.completions.get(index >> 1);
    if (queue === undefined) return this.event(DOORBELL_EVENT);
    if (!queue.ring(value)) return this.event(DOORBELL_EVENT | INVALID_VALUE);
    if (queue instanceof CompletionQueue) this.drivePin();
    this.serve();
  }

  /** Tells of an event, if somebody asked. */
  private event(what: number): void {
    const admin = this.submissions.get(0);
    if (admin === undefined || this.completions.get(0)?.hasRoom !== true) return;
    const id = this.eventRequests.shift();
    if (id !== undefined) this.post(admin, id, { status: Status.Success, result: what });
  }

  /** Takes commands from all rings in turn, for as long as there are some that may be started. */
  private serve(): void {
    if (this.serving) return;
    this.serving = true;
    for (let found = true; found;) {
      found = false;
      for (const queue of [...this.submissions.values()]) if (this.fetchFrom(queue)) found = true;
    }
    this.serving = false;
  }

  private fetchFrom(queue: SubmissionQueue): boolean {
    if (!this.ready || this.underWay.paused || this.underWay.count >= MAX_IN_FLIGHT) return false;
    const completion = this.completions.get(queue.s.completion);
    if (queue.empty || queue.deleting !== null || completion?.hasRoom !== true) return false;
    if (this.submissions.get(queue.s.id) !== queue) return false;
    const bytes = this.pci.busMaster ? queue.fetch(this.options.ram) : null;
    if (bytes === null) {
      this.fatal();
      return false;
    }
    this.start(queue, new NvmeCommand(this.options.ram, bytes));
    return true;
  }

  private start(queue: SubmissionQueue, command: NvmeCommand): void {
    const { generation } = this;
    const completion = this.completions.get(queue.s.completion);
    if (queue.s.id === 0 && command.opcode === AdminCommand.AsynchronousEvent) {
      queue.inFlight--;
      if (this.eventRequests.length < MAX_EVENT_REQUESTS) this.eventRequests.push(command.id);
      else this.post(queue, command.id, refused(Status.EventLimit));
      return;
    }
    const outcome = queue.s.id === 0 ? executeAdmin(command, this.controller) : this.startIo(command, generation);
    if (!(outcome instanceof Promise)) {
      queue.inFlight--;
      this.post(queue, command.id, outcome);
      return;
    }
    this.underWay.began();
    if (completion !== undefined) completion.reserved++;
    void outcome.then((late) => {
      if (generation === this.generation) {
        queue.inFlight--;
        if (completion !== undefined) completion.reserved--;
        this.post(queue, command.id, late);
        if (queue.inFlight === 0) queue.deleting?.();
      }
      this.ended();
    });
  }

  private startIo(command: NvmeCommand, generation: number) {
    const { ram, store } = this.options;
    return executeIo(command, {
      ram,
      store,
      isCurrent: () => generation === this.generation,
      writeCache: () => this.features.writeCache,
      failed: (error) => this.options.onStoreError?.(error),
    });
  }

  private ended(): void {
    this.underWay.ended();
    this.serve();
  }

  private post(queue: SubmissionQueue, id: number, { status, result }: Outcome): void {
    const completion = this.completions.get(queue.s.completion);
    if (completion === undefined) return;
    if (!this.pci.busMaster || !completion.post(this.options.ram, result, queue.s, id, status)) return this.fatal();
    if (!completion.s.interrupts) return;
    if (this.msix.enabled) this.msix.notify(completion.s.vector);
    else this.drivePin();
  }

  /** Without MSI-X the pin shows that completions wait whose vector is not masked (7.5.1.1). */
  private drivePin(): void {
    let wanted = false;
    for (const { s, waiting } of this.completions.values()) {
      // Only the low 32 vectors can be masked, and there are fewer.
      if (s.interrupts && waiting && (this.mask & (1 << s.vector)) === 0) wanted = true;
    }
    this.pci.setIntx(wanted && !this.msix.enabled);
  }
}
