// SPDX-License-Identifier: Apache-2.0
import type { Guest } from "./guest.js";
import { firmwareGuests } from "./firmware-guests.js";
import { installerGuests } from "./installer-guests.js";
import { kernelGuests } from "./kernel-guests.js";
import { uefiGuests } from "./uefi-guests.js";
import { unattendedInstalls } from "./unattended-install.js";

/** Every guest of the table, in its order. */
export const GUESTS: readonly Guest[] = [
  ...kernelGuests,
  ...firmwareGuests,
  ...uefiGuests,
  ...installerGuests,
  ...unattendedInstalls,
];
