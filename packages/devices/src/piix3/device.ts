// SPDX-License-Identifier: Apache-2.0
import type { IrqLine } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { PIIX3_ISA_IDENTITY, PIRQ_COUNT, Register, ROUTABLE_IRQS, Route } from "./registers.js";
import type { Piix3State } from "./state.js";

/** The PIIX3's ISA bridge: routes the four PCI interrupt wires to interrupts of the 8259 pair. */
export class Piix3 implements Device<Piix3State> {
  readonly pci: PciFunction;
  /** PIRQA# to PIRQD#, to be driven by the wired-or of the functions on each. */
  readonly pirqs: readonly IrqLine[];
  private levels: boolean[] = Array.from({ length: PIRQ_COUNT }, () => false);

  /** @param isa one source of each of the interrupts 0-15, which this device alone drives */
  constructor(
    spaces: PciSpaces,
    private readonly isa: readonly IrqLine[],
  ) {
    this.pci = new PciFunction(spaces, PIIX3_ISA_IDENTITY);
    const { config } = this.pci;
    config.set8(Register.IsaRecovery, 0x4d, 0xff);
    config.set16(Register.XBusChipSelect, 0x0003, 0x01ff);
    for (let i = 0; i < PIRQ_COUNT; i++) config.set8(Register.PirqRoute + i, Route.Disabled, Route.Writable);
    config.set8(Register.TopOfMemory, 0x02, 0xff);
    config.set16(Register.Miscellaneous, 0, 0x80f1);
    config.set8(Register.SmiControl, 0x08, 0xff);
    config.hook({ start: Register.PirqRoute, length: PIRQ_COUNT, afterWrite: () => this.drive() });
    this.pci.seal();
    this.pirqs = this.levels.map((_, i) => ({
      set: (asserted: boolean) => {
        this.levels[i] = asserted;
        this.drive();
      },
    }));
  }

  reset(): void {
    this.pci.reset();
    this.levels.fill(false);
    this.drive();
  }

  save(): Piix3State {
    return { device: "piix3", version: 1, pci: this.pci.save(), levels: [...this.levels] };
  }

  restore(state: Piix3State): void {
    checkState(state, "piix3", 1);
    this.pci.restore(state.pci);
    this.levels = copyState(state.levels);
  }

  private drive(): void {
    let asserted = 0;
    for (let i = 0; i < PIRQ_COUNT; i++) {
      const route = this.pci.config.get8(Register.PirqRoute + i);
      if (this.levels[i] && (route & Route.Disabled) === 0) asserted |= 1 << (route & Route.Irq);
    }
    this.isa.forEach((line, irq) => {
      if (((ROUTABLE_IRQS >> irq) & 1) !== 0) line.set(((asserted >> irq) & 1) !== 0);
    });
  }
}
