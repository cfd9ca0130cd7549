// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  Ac97,
  AcpiPm,
  APM_PORT,
  APM_PORTS,
  AudioOutput,
  COMMAND_PORTS,
  DebugConsole,
  DEFAULT_DRIVE_TYPE,
  Dma8237,
  DMA_FIRST_PORT,
  DMA_FIRST_PORTS,
  DMA_PAGE_PORT,
  DMA_PAGE_PORTS,
  DMA_SECOND_PORT,
  DMA_SECOND_PORTS,
  Floppy,
  FLOPPY_DMA,
  FLOPPY_INPUT_PORT,
  FLOPPY_IRQ,
  FLOPPY_PORT,
  FLOPPY_PORTS,
  floppyGeometry,
  Hpet,
  HPET_ADDRESS,
  HPET_LENGTH,
  I440fx,
  I8042,
  Ide,
  IDE_CHANNELS,
  Parallel,
  PARALLEL_IRQ,
  PARALLEL_PORT,
  PARALLEL_PORTS,
  PcSpeaker,
  PIIX4_SOFT_OFF,
  type PciFunction,
  type PciHost,
  Piix3,
  Piix4Pm,
  SMRAM_LENGTH,
  SMRAM_START,
  VBE_PORT,
  VBE_PORTS,
  Vga,
  VGA_MEMORY,
  VGA_MEMORY_LENGTH,
  VGA_PORT,
  VGA_PORTS,
} from "@isola/devices";
import type { IrqLine } from "@isola/memory";
import { Board, type BoardContext, TIMER_IRQ } from "./board.js";
import type { MachineConfig } from "./config.js";
import { PortBase, RTC_IRQ, SCI_IRQ } from "./memory-layout.js";
import { PcFirmwareFiles } from "./pc-firmware-files.js";
import {
  CHIPSET_SLOT,
  ChipsetFunction,
  FIRST_FREE_SLOT,
  PcPort,
  pirqOf,
  VIDEO_MEMORY,
  VIDEO_SLOT,
} from "./pc-layout.js";
import { firmwareBytes, PcFirmware } from "./pc-firmware.js";
import { PcRom } from "./pc-rom.js";

/** Bytes of memory beside RAM that a `pc` needs: for its firmware and its video memory. */
export function pcExtraMemory(config: MachineConfig, files: Readonly<Record<string, Uint8Array>>): number {
  return firmwareBytes(config, files) + VIDEO_MEMORY;
}

const ISA_IRQS = 16;
const KEYBOARD_IRQ = 1;
const MOUSE_IRQ = 12;

/** The devices of a `pc` and their wires: a 440FX chip set of 1996. */
export class PcBoard extends Board {
  readonly power: AcpiPm;
  protected readonly pci: PciHost;
  readonly vga: Vga;
  readonly input: I8042;
  private readonly pirqs: readonly { source(): IrqLine }[];
  private readonly firmware: PcFirmware;

  constructor(context: BoardContext) {
    super(context);
    const { io, mmio, ram, timers, physical, config } = context;
    const spaces = { ports: io, mmio };
    this.firmware = new PcFirmware(context, (name) => this.openStore(name), this.warnOnce("nvram"));
    const rom = new PcRom(physical, this.firmware.memory);
    this.addResets(...this.firmware.chips);
    const bridge = new I440fx(spaces, {
      shadowChanged: (start, length, read, write) => rom.shadow(start, length, read, write),
      smramChanged: (open) => {
        const backing = open ? "ram" : "device";
        physical.backLow(SMRAM_START, SMRAM_LENGTH, backing, backing);
      },
    });
    this.pci = bridge.host;
    io.map(PortBase.PciConfig, 8, this.pci.configHandler, "pci");

    const isa = new Piix3(
      spaces,
      Array.from({ length: ISA_IRQS }, (_, irq) => this.wiring.isa(irq)),
    );
    this.pirqs = isa.pirqs.map((line) => this.wiring.share(line));
    this.addChip(ChipsetFunction.IsaBridge, isa.pci);
    this.power = new AcpiPm(
      this.wiring.isa(SCI_IRQ),
      timers,
      {
        powerOff: () => context.stop({ kind: "power-off" }),
        resetRequested: () => context.stop({ kind: "reset" }),
      },
      PIIX4_SOFT_OFF,
    );
    io.map(PortBase.ResetControl, 1, this.power.resetHandler, "acpi-pm");
    const management = new Piix4Pm(spaces, this.power, (port) => files.powerPlaced(port));
    io.map(APM_PORT, APM_PORTS, management.apmHandler, "piix4-pm");
    this.addChip(ChipsetFunction.PowerManagement, management.pci);
    const ide = new Ide(
      { spaces, ram, irqs: [this.wiring.isa(IDE_CHANNELS[0].irq), this.wiring.isa(IDE_CHANNELS[1].irq)] },
      config.ide.map((drive, unit) => (drive === null ? null : this.openDrive(drive, unit))),
    );
    ide.channels.forEach((channel, i) => {
      const { command, control } = IDE_CHANNELS[i];
      io.map(command, COMMAND_PORTS, channel.commandHandler, "ide");
      io.map(control, 1, channel.controlHandler, "ide");
    });
    this.addChip(ChipsetFunction.Ide, ide.pci);
    this.addResets(bridge, isa, management, ide);

    this.addTimer();
    const floppy = this.addFloppies();
    this.vga = this.addVideo();
    this.input = new I8042(
      {
        resetRequested: () => context.stop({ kind: "reset" }),
        a20Changed: (open) => physical.setA20(open),
      },
      { keyboard: this.wiring.isa(KEYBOARD_IRQ), mouse: this.wiring.isa(MOUSE_IRQ) },
    );
    this.addKeyboardController(this.input);
    const log = new DebugConsole(context.ports.firmwareLog ?? { write: () => {} });
    io.map(PcPort.FirmwareLog, 1, log.handler, "firmware-log");
    const printer = new Parallel(this.wiring.isa(PARALLEL_IRQ), context.ports.printer ?? { write: () => {} });
    io.map(PARALLEL_PORT, PARALLEL_PORTS, printer.handler, "parallel");
    this.addResets(printer);
    const files = new PcFirmwareFiles(this.firmwareData, this.rtc, config, floppy);
    this.addSound(this.addShares(this.addVsock(this.addDisks(FIRST_FREE_SLOT))));
    this.addNetworkCards();
    this.addPs2Inputs();
  }

  override async close(): Promise<void> {
    await this.firmware.settle();
    await super.close();
  }

  protected pciPin(slot: number, pin: number): IrqLine {
    return this.pirqs[pirqOf(slot, pin)].source();
  }

  /** They come after everything else: a driver that listens to another device means that one. */
  private addPs2Inputs(): void {
    const { keyboard, mouse } = this.input;
    this.inputs.addKeyboard({ ready: true, key: (code, pressed) => keyboard?.key(code, pressed) });
    this.inputs.addPointer({
      ready: true,
      move({ dx, dy, wheel, buttons }) {
        mouse?.move(dx, dy, wheel, buttons);
        return true;
      },
    });
  }

  private addTimer(): void {
    const { mmio, timers } = this.context;
    const hpet = new Hpet({
      timers,
      pins: this.ioapic.pins,
      legacy: [this.wiring.isa(TIMER_IRQ), this.wiring.isa(RTC_IRQ)],
      legacyChanged: (on) => {
        this.timerLine.connect(!on);
        this.clockLine.connect(!on);
      },
    });
    mmio.map(HPET_ADDRESS, HPET_LENGTH, hpet.handler, "hpet");
    this.addResets(hpet);
  }

  /** Drives that the configuration names, with what they can read: CMOS codes of drives A and B. */
  private addFloppies(): readonly number[] {
    const { io, ram, config } = this.context;
    const dma = new Dma8237(ram);
    io.map(DMA_FIRST_PORT, DMA_FIRST_PORTS, dma.firstHandler, "dma8237");
    io.map(DMA_SECOND_PORT, DMA_SECOND_PORTS, dma.secondHandler, "dma8237");
    io.map(DMA_PAGE_PORT, DMA_PAGE_PORTS, dma.pageHandler, "dma8237");
    const floppy = new Floppy({
      irq: this.wiring.isa(FLOPPY_IRQ),
      dma: dma.channel(FLOPPY_DMA),
      onStoreError: this.warnOnce("floppy"),
    });
    io.map(FLOPPY_PORT, FLOPPY_PORTS, floppy.handler, "floppy");
    io.map(FLOPPY_INPUT_PORT, 1, floppy.inputHandler, "floppy");
    this.addResets(dma, floppy);
    return config.floppies.map((name, drive) => {
      if (name === null) return DEFAULT_DRIVE_TYPE;
      const store = this.openStore(name);
      if (!floppy.changeDisk(drive, store))
        throw new OperatorError("bad-floppy", `a floppy of ${store.size} bytes is too large: it has at most 2880 KiB`);
      return floppyGeometry(store.size)?.driveType ?? DEFAULT_DRIVE_TYPE;
    });
  }

  /** The loudspeaker, and a sound card at `slot` if the configuration wants one. */
  private addSound(slot: number): void {
    const { io, mmio, ram, timers, config, ports } = this.context;
    const output = new AudioOutput(timers, ports.audio ?? null);
    this.addResets(output, new PcSpeaker(this.pit, output, timers));
    if (config.sound === null) return;
    const spaces = { ports: io, mmio };
    this.addFunction(slot, new Ac97({ spaces, ram, output, intx: this.pciPin(slot, 0), name: "ac97" }));
  }

  private addVideo(): Vga {
    const { io, mmio, physical, clock, config } = this.context;
    const rom = config.boot.kind === "firmware" ? config.boot.videoRom : null;
    const memory = physical.takeExtra(VIDEO_MEMORY);
    const frameBuffer = physical.addWindow(memory, true);
    const vga = new Vga({
      spaces: { ports: io, mmio },
      memory: memory.bytes,
      rom: rom === null ? null : this.file(rom),
      clock,
      frameBufferPlaced: (address) => frameBuffer.place(address),
    });
    io.map(VGA_PORT, VGA_PORTS, vga.portHandler, "vga");
    io.map(VBE_PORT, VBE_PORTS, vga.vbeHandler, "vga");
    mmio.map(VGA_MEMORY, VGA_MEMORY_LENGTH, vga.memoryHandler, "vga");
    this.pci.attach(VIDEO_SLOT, 0, vga.pci);
    this.addResets(vga);
    return vga;
  }

  private addChip(fn: ChipsetFunction, pci: PciFunction): void {
    this.pci.attach(CHIPSET_SLOT, fn, pci);
  }

  private file(name: string): Uint8Array {
    const bytes = this.context.ports.files[name];
    if (bytes === undefined) throw new OperatorError("no-such-file", `the host has no file "${name}"`);
    return bytes;
  }
}
