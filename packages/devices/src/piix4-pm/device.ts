// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, Mapping } from "@isola/memory";
import type { AcpiPm } from "../acpi-pm/device.js";
import { PM_BLOCK_SIZE } from "../acpi-pm/registers.js";
import { checkState, copyState, type Device } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import {
  APMC_ENABLED,
  PIIX4_PM_IDENTITY,
  PM_BASE_MASK,
  Register,
  SMBUS_BASE_MASK,
  SMBUS_PORTS,
  SMBUS_START,
  SmBus,
  SmBusStatus,
} from "./registers.js";
import { type Piix4PmState, piix4PmResetRegisters } from "./state.js";

/**
 * The PIIX4's power-management function: puts the ACPI register block where firmware wants it, answers on the APM ports
 * and has an SMBus with nothing on it. APM commands have no effect, because there is no system-management mode.
 */
export class Piix4Pm implements Device<Piix4PmState> {
  readonly pci: PciFunction;
  /** Ports 0xB2 and 0xB3. */
  readonly apmHandler: IoHandler = {
    read: (offset) => this.s.apm[offset] ?? 0xff,
    write: (offset, _size, value) => {
      this.s.apm[offset & 1] = value & 0xff;
    },
  };
  private readonly smBusHandler: IoHandler = {
    read: (offset) => this.s.smbus[offset] ?? 0xff,
    write: (offset, _size, value) => this.writeSmBus(offset, value & 0xff),
  };
  private s = piix4PmResetRegisters();
  private pmMapping: Mapping | null = null;
  private smBusMapping: Mapping | null = null;

  /** @param powerPlaced called with the first port of the power-management block when that is somewhere else */
  constructor(
    private readonly spaces: PciSpaces,
    private readonly power: AcpiPm,
    private readonly powerPlaced: (port: number) => void = () => {},
  ) {
    this.pci = new PciFunction(spaces, PIIX4_PM_IDENTITY);
    const { config } = this.pci;
    config.set32(Register.PmBase, 1, PM_BASE_MASK);
    config.set32(Register.DeviceActivityB, APMC_ENABLED, ~APMC_ENABLED >>> 0);
    config.set8(Register.PmRegisterMisc, 0, 1);
    config.set32(Register.SmBusBase, 1, SMBUS_BASE_MASK);
    config.set8(Register.SmBusHostConfig, 0, 0x0f);
    for (const start of [Register.PmBase, Register.PmRegisterMisc, Register.SmBusBase, Register.SmBusHostConfig])
      config.hook({ start, length: 4, afterWrite: () => this.place() });
    // The pin is for drivers to read; the system control interrupt is wired to IRQ 9.
    config.set8(0x3d, 1);
    config.set8(0x3c, 0, 0xff);
    this.pci.seal();
  }

  reset(): void {
    this.pci.reset();
    this.power.reset();
    this.s = piix4PmResetRegisters();
    this.place();
  }

  save(): Piix4PmState {
    return { device: "piix4-pm", version: 1, pci: this.pci.save(), power: this.power.save(), ...copyState(this.s) };
  }

  restore(state: Piix4PmState): void {
    checkState(state, "piix4-pm", 1);
    this.pci.restore(state.pci);
    this.power.restore(state.power);
    this.s = copyState({ apm: state.apm, smbus: state.smbus });
    this.place();
  }

  private place(): void {
    const { config } = this.pci;
    const pm = (config.get8(Register.PmRegisterMisc) & 1) !== 0 ? config.get32(Register.PmBase) & PM_BASE_MASK : 0;
    const before = this.pmMapping?.start ?? 0;
    this.pmMapping = this.move(this.pmMapping, pm, PM_BLOCK_SIZE, this.power.handler);
    if (pm !== before && pm !== 0) this.powerPlaced(pm);
    const smBus =
      (config.get8(Register.SmBusHostConfig) & 1) !== 0 ? config.get32(Register.SmBusBase) & SMBUS_BASE_MASK : 0;
    this.smBusMapping = this.move(this.smBusMapping, smBus, SMBUS_PORTS, this.smBusHandler);
  }

  /** Port 0 means "not placed". */
  private move(mapping: Mapping | null, port: number, length: number, handler: IoHandler): Mapping | null {
    if (port === 0) {
      mapping?.unmap();
      return null;
    }
    if (mapping === null) return this.spaces.ports.map(port, length, handler, "piix4-pm");
    mapping.remap(port);
    return mapping;
  }

  /** Every transaction ends at once: no device acknowledges its address. */
  private writeSmBus(offset: number, value: number): void {
    const { smbus } = this.s;
    if (offset === SmBus.HostStatus) {
      smbus[offset] &= ~(value & SmBusStatus.Clearable);
    } else if (offset === SmBus.HostControl) {
      smbus[offset] = value & ~SMBUS_START;
      if ((value & SMBUS_START) !== 0) smbus[SmBus.HostStatus] |= SmBusStatus.DeviceError;
    } else if (offset !== SmBus.SlaveStatus && offset < SMBUS_PORTS) {
      smbus[offset] = value;
    }
  }
}
