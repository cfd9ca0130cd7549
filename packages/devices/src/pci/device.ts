// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { AccessSize, IoHandler } from "@isola/memory";
import { allOnes } from "../access-width.js";
import { checkState, type Device } from "../device.js";
import { PciFunction, type PciIdentity, type PciSpaces } from "./function.js";
import { CONFIG_ENABLE, CONFIG_SIZE, ConfigPort, ECAM_BUS_SIZE } from "./registers.js";
import type { PciHostState } from "./state.js";

/** A bridge that no driver has special ideas about: class "host bridge", vendor Red Hat, generic PCI host. */
export const GENERIC_HOST_BRIDGE: PciIdentity = {
  vendorId: 0x1b36,
  deviceId: 0x0008,
  revision: 0,
  classCode: 0x06_0000,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
};

/** The host bridge and bus 0. Configuration space is reached by mechanism #1 and by ECAM. */
export class PciHost implements Device<PciHostState> {
  /** Ports 0xCF8-0xCFF. The reset register at 0xCF9 is another device's, mapped later and so in front. */
  readonly configHandler: IoHandler = {
    read: (offset, size) => this.readPort(offset, size),
    write: (offset, size, value) => this.writePort(offset, size, value),
  };
  /** The first `ECAM_BUS_SIZE` bytes of ECAM; bus 0 is the only one. */
  readonly ecamHandler: IoHandler = {
    read: (offset, size) => {
      if (offset >= ECAM_BUS_SIZE) return allOnes(size);
      return this.readConfig((offset >> 12) & 0xff, offset & 0xfff, size);
    },
    write: (offset, size, value) => {
      if (offset < ECAM_BUS_SIZE) this.writeConfig((offset >> 12) & 0xff, offset & 0xfff, size, value);
    },
  };
  /** Device 0, function 0. */
  readonly bridge: PciFunction;
  private readonly functions: (PciFunction | null)[] = Array.from({ length: 256 }, () => null);
  private address = 0;

  constructor(spaces: PciSpaces, identity: PciIdentity = GENERIC_HOST_BRIDGE) {
    this.bridge = new PciFunction(spaces, identity);
    this.bridge.seal();
    this.attach(0, 0, this.bridge);
  }

  /** Puts a function into a slot: device 0-31, function 0-7. */
  attach(device: number, fn: number, pciFunction: PciFunction): void {
    const slot = (device << 3) | fn;
    assert(slot >= 0 && slot < 256 && this.functions[slot] === null, `PCI slot ${device}.${fn} is not free`);
    this.functions[slot] = pciFunction;
  }

  reset(): void {
    this.address = 0;
    this.bridge.reset();
  }

  save(): PciHostState {
    return { device: "pci-host", version: 1, address: this.address, bridge: this.bridge.save() };
  }

  restore(state: PciHostState): void {
    checkState(state, "pci-host", 1);
    this.address = state.address >>> 0;
    this.bridge.restore(state.bridge);
  }

  private readPort(offset: number, size: AccessSize): number {
    if (offset === ConfigPort.Address && size === 4) return this.address;
    const register = this.selected(offset);
    return register < 0 ? allOnes(size) : this.readConfig((this.address >> 8) & 0xff, register, size);
  }

  private writePort(offset: number, size: AccessSize, value: number): void {
    // Only a dword write reaches CONFIG_ADDRESS; narrower ones pass to whoever has ports in that dword (3.2.2.3.2).
    if (offset === ConfigPort.Address && size === 4) {
      this.address = (value & 0x80ff_fffc) >>> 0;
      return;
    }
    const register = this.selected(offset);
    if (register >= 0) this.writeConfig((this.address >> 8) & 0xff, register, size, value);
  }

  /** Register behind a data port, or -1 when the address is off, beyond bus 0 or not a data port. */
  private selected(offset: number): number {
    if (offset < ConfigPort.Data || this.address < CONFIG_ENABLE) return -1;
    if (((this.address >> 16) & 0xff) !== 0) return -1;
    return (this.address & 0xfc) | (offset & 3);
  }

  private readConfig(slot: number, register: number, size: AccessSize): number {
    const fn = this.functions[slot];
    // Conventional functions have no extended configuration space.
    if (fn === null || register >= CONFIG_SIZE) return allOnes(size);
    return fn.config.read(register, size);
  }

  private writeConfig(slot: number, register: number, size: AccessSize, value: number): void {
    const fn = this.functions[slot];
    if (fn !== null && register < CONFIG_SIZE) fn.config.write(register, size, value);
  }
}
