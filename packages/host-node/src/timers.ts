// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timers } from "@isola/ports";

const MAX_DELAY_MS = 0x7fff_ffff;

/** Timers of the host, to the millisecond, for what goes on while a machine stands still. They keep no process alive. */
export function hostTimers(clock: Clock): Timers {
  return {
    now: () => clock.now(),
    create(fire) {
      let timer: NodeJS.Timeout | undefined;
      return {
        set(deadline) {
          clearTimeout(timer);
          const delay = Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil((deadline - clock.now()) / 1e6)));
          timer = setTimeout(() => fire(deadline), delay).unref();
        },
        cancel: () => clearTimeout(timer),
      };
    },
  };
}
