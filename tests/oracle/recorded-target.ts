// SPDX-License-Identifier: Apache-2.0
import { StateImage } from "./state-image.js";
import { Vector, type VectorFile } from "./vector-file.js";
import { COMPLETED, type Environment, type Outcome, type VectorTarget } from "./vector-target.js";

/**
 * Answers with the recording itself: a second reader of the same file stands in for a CPU. It shows that the runner
 * accepts right answers, how fast it is, and, through `disturb`, that it notices wrong ones.
 */
export class RecordedTarget implements VectorTarget {
  readonly outcome: Outcome = { what: COMPLETED, errorCode: 0, cr2Low: 0, cr2High: 0 };
  private readonly vector = new Vector();
  private readonly state = new StateImage();
  private memory: Uint8Array[] = [];
  private read = 0;
  private environment: Environment;

  /** `file` must not be the object that the runner reads from. */
  constructor(
    private readonly file: VectorFile,
    private readonly disturb: (
      target: { state: StateImage; outcome: Outcome; memory: Uint8Array[] },
      vector: Vector,
    ) => void = () => {},
  ) {
    this.environment = file.environment;
  }

  prepare(environment: Environment): void {
    this.environment = environment;
    this.memory = environment.windows.map((window) => window.initial.slice());
    this.file.rewind();
    this.read = 0;
  }

  write(address: number, bytes: Uint8Array): void {
    const windows = this.environment.windows;
    for (let i = 0; i < windows.length; i++) {
      if (address >= windows[i].base && address < windows[i].base + windows[i].size) {
        this.memory[i].set(bytes, address - windows[i].base);
        return;
      }
    }
  }

  window(index: number): Uint8Array {
    return this.memory[index];
  }

  setState(state: StateImage): void {
    // The runner may leave vectors out, so look for the one it means.
    do {
      if (this.read++ === this.file.count) throw new Error("the runner set a state that is not in the recording");
      this.file.next(this.vector);
    } while (state.firstDifference(this.vector.before) >= 0);
  }

  step(): void {
    const { vector } = this;
    this.state.copyFrom(vector.after);
    Object.assign(this.outcome, vector.outcome);
    for (const change of vector.changes) this.write(change.address, change.bytes);
    this.disturb({ state: this.state, outcome: this.outcome, memory: this.memory }, vector);
  }

  getState(into: StateImage): void {
    into.copyFrom(this.state);
  }
}
