// SPDX-License-Identifier: Apache-2.0
export * from "./device.js";
export { Ac97, type Ac97Options } from "./ac97/device.js";
export type { Ac97State } from "./ac97/state.js";
export { AcpiPm, type AcpiPmEvents } from "./acpi-pm/device.js";
export {
  GPE_BLOCK_LENGTH,
  GPE_COUNT,
  Pm,
  PM_BLOCK_SIZE,
  PM_CONTROL_LENGTH,
  PM_EVENT_LENGTH,
  PM_TIMER_LENGTH,
  RESET_VALUE,
  SLEEP_TYPE_S5,
} from "./acpi-pm/registers.js";
export type { AcpiPmState } from "./acpi-pm/state.js";
export { Ahci, type AhciPorts } from "./ahci/device.js";
export { MAX_PORTS as AHCI_PORTS } from "./ahci/registers.js";
export type { AhciState } from "./ahci/state.js";
export { CfiFlash, type CfiFlashOptions } from "./cfi-flash/device.js";
export { BLOCK_SIZE as FLASH_BLOCK_SIZE } from "./cfi-flash/registers.js";
export type { CfiFlashState } from "./cfi-flash/state.js";
export { AudioOutput } from "./audio-output/device.js";
export type { AudioSource } from "./audio-output/source.js";
export type { AudioOutputState } from "./audio-output/state.js";
export { DebugConsole } from "./debug-console/device.js";
export { DEBUG_CONSOLE_PORT } from "./debug-console/registers.js";
export type { DebugConsoleState } from "./debug-console/state.js";
export { DebugExit } from "./debug-exit/device.js";
export { DEBUG_EXIT_PORT, DEBUG_EXIT_PORTS } from "./debug-exit/registers.js";
export type { DebugExitState } from "./debug-exit/state.js";
export { E1000, type E1000Options } from "./e1000/device.js";
export type { E1000State } from "./e1000/state.js";
export { FwCfg } from "./fw-cfg/device.js";
export { FW_CFG_PORT, FW_CFG_PORTS, FwCfgKey } from "./fw-cfg/registers.js";
export type { FwCfgState } from "./fw-cfg/state.js";
export { I8042, type I8042Events } from "./i8042/device.js";
export { I8042_COMMAND_PORT, I8042_DATA_PORT, SYSTEM_PORT_A } from "./i8042/registers.js";
export type { I8042State } from "./i8042/state.js";
export { Ioapic } from "./ioapic/device.js";
export { IOAPIC_DEFAULT_BASE, IOAPIC_MMIO_SIZE, IOAPIC_PINS } from "./ioapic/registers.js";
export type { IoapicState } from "./ioapic/state.js";
export { ApicBus, type ApicTarget, type EoiListener } from "./lapic/apic-bus.js";
export { EXTERNAL_INTERRUPT, Lapic, type LapicEvents, type LapicPorts } from "./lapic/device.js";
export { LapicMsrs } from "./lapic/msrs.js";
export { APIC_DEFAULT_BASE, APIC_MMIO_SIZE } from "./lapic/registers.js";
export type { LapicState } from "./lapic/state.js";
export type { NetCounts } from "./network-card.js";
export { Nvme, type NvmeOptions } from "./nvme/device.js";
export type { NvmeState } from "./nvme/state.js";
export { GENERIC_HOST_BRIDGE, PciHost } from "./pci/device.js";
export { type BarSpec, PciFunction, type PciFunctionState, type PciIdentity, type PciSpaces } from "./pci/function.js";
export { Msi } from "./pci/msi.js";
export { Msix, MSIX_REGION_SIZE, type MsixState } from "./pci/msix.js";
export { ECAM_BUS_SIZE } from "./pci/registers.js";
export type { PciHostState } from "./pci/state.js";
export { Parallel } from "./parallel/device.js";
export { PARALLEL_IRQ, PARALLEL_PORT, PARALLEL_PORTS } from "./parallel/registers.js";
export type { ParallelState } from "./parallel/state.js";
export { PcSpeaker } from "./pc-speaker/device.js";
export type { PcSpeakerState } from "./pc-speaker/state.js";
export { Pic8259 } from "./pic8259/device.js";
export type { PicState } from "./pic8259/state.js";
export { Pit8254 } from "./pit8254/device.js";
export type { PitState } from "./pit8254/state.js";
export { Rtl8139, type Rtl8139Options } from "./rtl8139/device.js";
export type { Rtl8139State } from "./rtl8139/state.js";
export { Rtc } from "./rtc/device.js";
export type { RtcState } from "./rtc/state.js";
export { TestDevice } from "./test-device/device.js";
export {
  TEST_ECHO_BYTE_PORT,
  TEST_ECHO_PORT,
  TEST_ECHO_PORTS,
  TEST_FLUSH_PORT,
  TEST_IRQ_PORT,
  TEST_IRQ_PORTS,
  TEST_MEMORY_BASE,
  TEST_MEMORY_SIZE,
} from "./test-device/registers.js";
export type { TestDeviceState } from "./test-device/state.js";
export { Uart16550, type UartPorts } from "./uart16550/device.js";
export type { UartState } from "./uart16550/state.js";
export { Chain, type Segment } from "./virtio/chain.js";
export { VirtioPci, type VirtioPciPorts } from "./virtio/device.js";
export type { VirtioFunction, VirtioHost } from "./virtio/function.js";
export type { VirtioPciState, VirtqueueState } from "./virtio/state.js";
export { Virtqueue } from "./virtio/virtqueue.js";
export { VirtioBlk, type VirtioBlkOptions } from "./virtio-blk/device.js";
export { VirtioConsole, type VirtioConsoleOptions } from "./virtio-console/device.js";
export { VirtioNet, type VirtioNetOptions } from "./virtio-net/device.js";
export { VirtioRng } from "./virtio-rng/device.js";
export { fanOut, WireOr } from "./wire-or/device.js";
export type { WireOrState } from "./wire-or/state.js";
export { I440fx, type I440fxEvents } from "./i440fx/device.js";
export { SMRAM_LENGTH, SMRAM_START } from "./i440fx/registers.js";
export type { I440fxState } from "./i440fx/state.js";
export { Piix3 } from "./piix3/device.js";
export { PIRQ_COUNT } from "./piix3/registers.js";
export type { Piix3State } from "./piix3/state.js";
export { Piix4Pm } from "./piix4-pm/device.js";
export { APM_PORT, APM_PORTS, PIIX4_SOFT_OFF } from "./piix4-pm/registers.js";
export type { Piix4PmState } from "./piix4-pm/state.js";
export type { DriveOptions } from "./ide/channel.js";
export { Ide, type IdePorts } from "./ide/device.js";
export { COMMAND_PORTS, IDE_CHANNELS } from "./ide/registers.js";
export type { IdeState } from "./ide/state.js";
export { Vga, type VgaPorts } from "./vga/device.js";
export { VBE_PORT, VBE_PORTS, VGA_MEMORY, VGA_MEMORY_LENGTH, VGA_PORT, VGA_PORTS } from "./vga/registers.js";
export type { VgaRegisters, VgaState } from "./vga/state.js";
export { type Picture, vgaPicture } from "./vga/picture.js";
export { vgaText } from "./vga/text.js";
export { Dma8237, type DmaChannel } from "./dma8237/device.js";
export {
  DMA_FIRST_PORT,
  DMA_FIRST_PORTS,
  DMA_PAGE_PORT,
  DMA_PAGE_PORTS,
  DMA_SECOND_PORT,
  DMA_SECOND_PORTS,
} from "./dma8237/registers.js";
export type { DmaState } from "./dma8237/state.js";
export { Floppy, type FloppyPorts } from "./floppy/device.js";
export { DEFAULT_DRIVE_TYPE, floppyGeometry, type FloppyGeometry } from "./floppy/geometry.js";
export { FLOPPY_DMA, FLOPPY_INPUT_PORT, FLOPPY_IRQ, FLOPPY_PORT, FLOPPY_PORTS } from "./floppy/registers.js";
export type { FloppyState } from "./floppy/state.js";
export { Hpet, type HpetPorts } from "./hpet/device.js";
export { HPET_ADDRESS, HPET_LENGTH, HPET_TIMERS } from "./hpet/registers.js";
export type { HpetState } from "./hpet/state.js";
export { UsbKeyboard } from "./usb-keyboard/device.js";
export type { UsbKeyboardState } from "./usb-keyboard/state.js";
export { UsbStorage, type UsbStorageOptions } from "./usb-storage/device.js";
export type { UsbStorageState } from "./usb-storage/state.js";
export { UsbTablet } from "./usb-tablet/device.js";
export { LAST_POSITION } from "./usb-tablet/registers.js";
export type { UsbTabletState } from "./usb-tablet/state.js";
export type { UsbDevice } from "./usb/device.js";
export { Xhci, type XhciOptions } from "./xhci/device.js";
export { PORTS_OF_KIND as XHCI_PORTS_OF_KIND } from "./xhci/registers.js";
export type { XhciState } from "./xhci/state.js";
export { type BalloonReport, VirtioBalloon, type VirtioBalloonOptions } from "./virtio-balloon/device.js";
export { VirtioGpu, type VirtioGpuOptions } from "./virtio-gpu/device.js";
export { VirtioKeyboard } from "./virtio-input/keyboard.js";
export { VirtioTablet } from "./virtio-input/tablet.js";
export { VirtioVsock, type VirtioVsockOptions } from "./virtio-vsock/device.js";
export { HOST_CID, MAX_GUEST_CID, MIN_GUEST_CID } from "./virtio-vsock/registers.js";
export type { VirtioVsockState } from "./virtio-vsock/state.js";
export { VirtioFs, type VirtioFsOptions } from "./virtio-fs/device.js";
export { TAG_LENGTH as SHARE_TAG_LENGTH } from "./virtio-fs/registers.js";
export type { VirtioFsState } from "./virtio-fs/state.js";
