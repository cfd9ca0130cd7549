// SPDX-License-Identifier: Apache-2.0
import { type NvmeCommand, type Outcome, refused } from "./command.js";
import { Feature, IO_QUEUES, Status } from "./registers.js";

const QUEUES = (IO_QUEUES - 1) | ((IO_QUEUES - 1) << 16);
/** Features and their values after reset (5.21.1). */
const DEFAULTS: Readonly<Record<number, number>> = {
  [Feature.Arbitration]: 7,
  [Feature.PowerManagement]: 0,
  [Feature.TemperatureThreshold]: 343,
  [Feature.ErrorRecovery]: 0,
  [Feature.WriteCache]: 1,
  [Feature.QueueCount]: QUEUES,
  [Feature.InterruptCoalescing]: 0,
  [Feature.VectorConfiguration]: 0,
  [Feature.WriteAtomicity]: 0,
  [Feature.EventConfiguration]: 0,
};

const CURRENT = 0;
const CAPABILITIES = 3;
const CHANGEABLE = 4;
const SAVE = 0x8000_0000;

/** Feature values. Coalescing and arbitration are stored, and change nothing here. */
export class Features {
  private values: Record<string, number> = {};

  reset(): void {
    this.values = {};
  }

  save(): Record<string, number> {
    return { ...this.values };
  }

  restore(values: Readonly<Record<string, number>>): void {
    this.values = { ...values };
  }

  /** Whether writes may stay in a cache until they are flushed. */
  get writeCache(): boolean {
    return (this.valueOf(Feature.WriteCache) & 1) !== 0;
  }

  get(command: NvmeCommand): Outcome {
    const selector = command.dword(10);
    const feature = selector & 0xff;
    const select = (selector >>> 8) & 7;
    if (!(feature in DEFAULTS) || select > CAPABILITIES) return refused(Status.InvalidField);
    if (select === CAPABILITIES) return { status: Status.Success, result: CHANGEABLE };
    const result = select === CURRENT ? this.valueOf(feature) : DEFAULTS[feature];
    return { status: Status.Success, result };
  }

  set(command: NvmeCommand): Outcome {
    const selector = command.dword(10);
    const feature = selector & 0xff;
    const value = command.dword(11);
    if ((selector & SAVE) !== 0) return refused(Status.NotSaveable);
    if (!(feature in DEFAULTS)) return refused(Status.InvalidField);
    if (feature === Feature.QueueCount) {
      // 65536 queues cannot be asked for; fewer than there are may still be given (5.21.1.7).
      const wrong = (value & 0xffff) === 0xffff || value >>> 16 === 0xffff;
      return wrong ? refused(Status.InvalidField) : { status: Status.Success, result: QUEUES };
    }
    if (feature === Feature.PowerManagement && (value & 0x1f) !== 0) return refused(Status.InvalidField);
    this.values[feature] = value;
    return { status: Status.Success, result: 0 };
  }

  private valueOf(feature: number): number {
    return this.values[feature] ?? DEFAULTS[feature];
  }
}
