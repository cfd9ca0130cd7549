// SPDX-License-Identifier: Apache-2.0
/** Where kvm-unit-tests expects the parts of QEMU's pc-testdev. */
export const TEST_ECHO_PORT = 0xe0;
export const TEST_FLUSH_PORT = 0xe4;
export const TEST_ECHO_BYTE_PORT = 0xe8;
export const TEST_ECHO_PORTS = 4;
export const TEST_IRQ_PORT = 0x2000;
export const TEST_IRQ_PORTS = 24;
export const TEST_MEMORY_BASE = 0xff00_0000;
export const TEST_MEMORY_SIZE = 0x1_0000;
