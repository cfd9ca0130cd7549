// SPDX-License-Identifier: Apache-2.0
/** Where test suites expect the port (QEMU's isa-debug-exit as kvm-unit-tests configures it). */
export const DEBUG_EXIT_PORT = 0xf4;
export const DEBUG_EXIT_PORTS = 4;
