// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timers } from "@isola/ports";

const MAX_DELAY_MS = 0x7fff_ffff;

/** Timers of the browser, to the millisecond, for what goes on while a machine stands still. */
export function hostTimers(clock: Clock): Timers {
  return {
    now: () => clock.now(),
    create(fire) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      return {
        set(deadline) {
          clearTimeout(timer);
          const delay = Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil((deadline - clock.now()) / 1e6)));
          timer = setTimeout(() => fire(deadline), delay);
        },
        cancel: () => clearTimeout(timer),
      };
    },
  };
}
