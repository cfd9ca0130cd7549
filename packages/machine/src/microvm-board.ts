// SPDX-License-Identifier: Apache-2.0
import { AcpiPm, ECAM_BUS_SIZE, I8042, PciHost, PM_BLOCK_SIZE, VirtioRng } from "@isola/devices";
import type { IrqLine } from "@isola/memory";
import { Board, type BoardContext } from "./board.js";
import { ECAM, PortBase, SCI_IRQ } from "./memory-layout.js";
import { assignPciResources } from "./pci-setup.js";

/** Interrupts 9, 10 and 11 are level-triggered, as firmware sets them up for ACPI and PCI. */
const ELCR_SLAVE = 0x0e;
const FIRST_DISK_SLOT = 2;
const ENTROPY_SLOT = 1;

/** The devices of a `microvm` and their wires. */
export class MicrovmBoard extends Board {
  readonly power: AcpiPm;
  readonly vga = null;
  readonly input = null;
  protected readonly pci: PciHost;

  constructor(context: BoardContext) {
    super(context);
    const { io, mmio, timers } = context;
    this.power = new AcpiPm(this.wiring.isa(SCI_IRQ), timers, {
      powerOff: () => context.stop({ kind: "power-off" }),
      resetRequested: () => context.stop({ kind: "reset" }),
    });
    io.map(PortBase.PowerManagement, PM_BLOCK_SIZE, this.power.handler, "acpi-pm");
    this.pci = new PciHost({ ports: io, mmio });
    io.map(PortBase.PciConfig, 8, this.pci.configHandler, "pci");
    mmio.map(ECAM, ECAM_BUS_SIZE, this.pci.ecamHandler, "pci");
    // Later mappings win, so the reset register is not shadowed by the configuration ports around it.
    io.map(PortBase.ResetControl, 1, this.power.resetHandler, "acpi-pm");
    this.addResets(this.power, this.pci);
    // Nothing is plugged in; guests reset the machine through it.
    this.addKeyboardController(
      new I8042({
        resetRequested: () => context.stop({ kind: "reset" }),
        // Address line 20 is always open here, as on PCs of this century.
        a20Changed: () => {},
      }),
    );
    this.addVirtio(ENTROPY_SLOT, new VirtioRng(context.entropy), "virtio-rng");
    this.addShares(this.addVsock(this.addDisks(FIRST_DISK_SLOT)));
    this.addNetworkCards();
  }

  /** Power-on state, with what firmware would have set up. */
  override reset(): void {
    super.reset();
    this.context.io.write(PortBase.Elcr + 1, 1, ELCR_SLAVE);
    assignPciResources(this.functions);
  }

  protected pciPin(slot: number, pin: number): IrqLine {
    return this.wiring.pci(slot, pin);
  }
}
