// SPDX-License-Identifier: Apache-2.0
import type { Guest } from "./guest.js";
import { firmwareGuests } from "./firmware-guests.js";

/** Every guest of the table, in its order. */
export const GUESTS: readonly Guest[] = [...firmwareGuests];
