// SPDX-License-Identifier: Apache-2.0

/** One stack, outermost frame first, with what was spent in it. */
export interface ProfiledStack {
  readonly frames: readonly string[];
  /** Host time in ns. */
  readonly time: number;
  readonly samples: number;
}

/** Where a machine's host time went. */
export interface Profile {
  /** Largest first. */
  readonly stacks: readonly ProfiledStack[];
  /** Sum over all stacks, in ns. */
  readonly time: number;
  readonly samples: number;
  /** Whether names of kernel functions were known. */
  readonly kernelSymbols: boolean;
}

/** One line a stack, `a;b;c N`, N in microseconds: what most flame graph tools read. */
export function collapsedStacks({ stacks }: Profile): string {
  return stacks
    .map(({ frames, time }) => ({ frames, weight: Math.round(time / 1000) }))
    .filter(({ weight }) => weight > 0)
    .map(({ frames, weight }) => `${frames.join(";")} ${weight}\n`)
    .join("");
}
