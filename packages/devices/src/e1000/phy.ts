// SPDX-License-Identifier: Apache-2.0

const REGISTERS = 32;
const PHY_ADDRESS = 1;
/** Fields of the MDI control register (13.4.7). */
const OP_WRITE = 1;
const OP_READ = 2;
const READY = 1 << 28;
const ERROR = 1 << 30;

const CONTROL = 0;
const CONTROL_RESET = 0x8000;
const CONTROL_RESTART = 0x0200;
/** Registers that a driver may write: control, advertisement, 1000BASE-T control, PHY specific control and the like. */
const WRITABLE: ReadonlySet<number> = new Set([0, 4, 7, 9, 16, 20, 24, 29, 30]);

/** Marvell 88E1011 after it has agreed with its partner on 1000 Mb/s and full duplex (IEEE 802.3, clause 22). */
const RESET_VALUES: { readonly [register: number]: number } = {
  [CONTROL]: 0x1140,
  1: 0x796d,
  2: 0x0141,
  3: 0x0c20,
  4: 0x0de1,
  5: 0xcde1,
  6: 0x000f,
  9: 0x0e00,
  10: 0x3c00,
  15: 0x3000,
  16: 0x0360,
  17: 0xac00,
  20: 0x0d60,
};

export function phyRegisters(): number[] {
  return Array.from({ length: REGISTERS }, (_, register) => RESET_VALUES[register] ?? 0);
}

/** Does what was written to the MDI control register; returns what it reads as afterwards. */
export function mdiCommand(phy: number[], command: number): number {
  const register = (command >>> 16) & 31;
  const operation = (command >>> 26) & 3;
  if (((command >>> 21) & 31) !== PHY_ADDRESS || (operation !== OP_WRITE && operation !== OP_READ))
    return (command | READY | ERROR) >>> 0;
  if (operation === OP_READ) return ((command & ~0xffff) | phy[register] | READY) >>> 0;
  const value = command & 0xffff;
  if (register === CONTROL && (value & CONTROL_RESET) !== 0) phyRegisters().forEach((one, i) => (phy[i] = one));
  else if (WRITABLE.has(register)) phy[register] = register === CONTROL ? value & ~CONTROL_RESTART : value;
  return (command | READY) >>> 0;
}
