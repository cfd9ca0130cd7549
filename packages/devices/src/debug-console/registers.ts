// SPDX-License-Identifier: Apache-2.0
/** The port of the Bochs debug console; SeaBIOS writes to 0x402 as well. */
export const DEBUG_CONSOLE_PORT = 0xe9;
/** What a read gives, so that a guest can tell that somebody listens. */
export const DEBUG_CONSOLE_PRESENT = 0xe9;
