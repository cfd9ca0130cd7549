// SPDX-License-Identifier: Apache-2.0
import type { ApicBus, ApicTarget } from "./apic-bus.js";
import { Delivery, FIRST_VECTOR, Icr, Shorthand } from "./registers.js";

/**
 * Sends what the interrupt command register asks for (SDM 3A "Interrupt Command Register").
 * @param low low half of the ICR
 * @param destination 8 bits in xAPIC mode, 32 in x2APIC mode (`wide`)
 * @returns false if the vector is illegal
 */
export function sendIpi(bus: ApicBus, sender: ApicTarget, low: number, destination: number, wide: boolean): boolean {
  const mode: Delivery = (low >> Icr.ModeShift) & 7;
  const vector = low & Icr.Vector;
  // INIT level de-assert only synchronised arbitration IDs on buses of long ago.
  if (mode === Delivery.Init && (low & (Icr.Level | Icr.Assert)) === Icr.Level) return true;
  if ((mode === Delivery.Fixed || mode === Delivery.LowestPriority) && vector < FIRST_VECTOR) return false;
  // IPIs are edge triggered whatever the trigger bit says.
  switch ((low >>> Icr.ShorthandShift) & 3) {
    case Shorthand.Self:
      sender.accept(mode, vector, false);
      break;
    case Shorthand.AllIncludingSelf:
      bus.broadcast(sender, true, mode, vector, false);
      break;
    case Shorthand.AllExcludingSelf:
      bus.broadcast(sender, false, mode, vector, false);
      break;
    default:
      bus.deliver(destination, (low & Icr.Logical) !== 0, wide, mode, vector, false);
      break;
  }
  return true;
}
