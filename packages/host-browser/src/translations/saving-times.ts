// SPDX-License-Identifier: Apache-2.0

/** A tab may be closed at any time, so code is saved while the machine runs: soon after its start, then seldom. */
const FIRST_PAUSE_MS = 20_000;
const LAST_PAUSE_MS = 600_000;
const GROWTH = 3;

/** Calls `save` now and then, each time after a longer pause; returns a function that stops that. */
export function saveNowAndThen(save: () => Promise<void>): () => void {
  let pause = FIRST_PAUSE_MS;
  let timer = setTimeout(turn, pause);
  let stopped = false;
  async function turn(): Promise<void> {
    await save();
    pause = Math.min(pause * GROWTH, LAST_PAUSE_MS);
    if (!stopped) timer = setTimeout(turn, pause);
  }
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
