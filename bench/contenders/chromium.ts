// SPDX-License-Identifier: Apache-2.0

/** Debian's Chromium. */
export const CHROMIUM = "/usr/bin/chromium";
