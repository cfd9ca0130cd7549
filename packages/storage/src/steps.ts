// SPDX-License-Identifier: Apache-2.0

/**
 * Work over block stores, which answer at once or later. Each `yield` hands out what a store returned, and the work
 * goes on when that is done: in the same turn if it was no promise. So the code is written once, and a request to an
 * image whose file answers at once is itself answered at once.
 */
export type Steps<T> = Generator<unknown, T, void>;

/** Runs `steps` to their end: returns the result, or a promise of it if any step has to be waited for. */
export function perform<T>(steps: Steps<T>): T | Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    if (step.value instanceof Promise) return performLater(steps, step.value);
    step = steps.next();
  }
  return step.value;
}

async function performLater<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let step: IteratorResult<unknown, T> = { done: false, value: first };
  while (step.done !== true) {
    try {
      if (step.value instanceof Promise) await step.value;
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next();
  }
  return step.value;
}

/** Waits for a value that is there or promised. */
export function* settled<T>(value: T | Promise<T>): Steps<T> {
  if (!(value instanceof Promise)) return value;
  const box: T[] = [];
  yield value.then((result) => box.push(result));
  return box[0];
}
