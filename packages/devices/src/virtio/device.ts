// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler, IrqLine, MsiSink } from "@isola/memory";
import { OperatorError } from "@isola/base";
import { checkState, type Device, type Pausable } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { Msix, MSIX_REGION_SIZE } from "../pci/msix.js";
import { CommonConfig } from "./common-config.js";
import type { VirtioFunction, VirtioHost } from "./function.js";
import { addVirtioCapabilities } from "./pci-capabilities.js";
import {
  DeviceStatus,
  Isr,
  MSIX_BAR,
  NO_VECTOR,
  NOTIFY_MULTIPLIER,
  Region,
  REGION_BAR,
  REGION_SIZE,
  VIRTIO_DEVICE_BASE,
  VIRTIO_VENDOR,
} from "./registers.js";
import type { VirtioPciState } from "./state.js";
import { Virtqueue } from "./virtqueue.js";

export interface VirtioPciPorts {
  readonly spaces: PciSpaces;
  readonly ram: GuestRam;
  readonly msi: MsiSink;
  /** INTA#, used while MSI-X is off. */
  readonly intx: IrqLine;
  /** Under which accesses to its registers are counted. */
  readonly name?: string;
  /** Hears once of each driver that broke the rules. */
  readonly onFailure?: (reason: string) => void;
}

/** The modern PCI transport (4.1) around one virtio function. `pci` goes into a slot of the `PciHost`. */
export class VirtioPci<State> implements Device<VirtioPciState<State>>, Pausable, VirtioHost {
  readonly pci: PciFunction;
  /** BAR 4: common configuration, ISR, device configuration, notifications. */
  readonly regionHandler: IoHandler = {
    read: (offset, size) => this.readRegion(offset, size),
    write: (offset, size, value) => this.writeRegion(offset, size, value),
  };
  readonly queues: readonly Virtqueue[];
  readonly ram: GuestRam;
  readonly common: CommonConfig;
  /** BAR 1: MSI-X table and pending bits. */
  readonly msix: Msix;
  private isr = 0;

  constructor(
    readonly fn: VirtioFunction<State>,
    private readonly ports: VirtioPciPorts,
  ) {
    this.ram = ports.ram;
    this.queues = fn.queueSizes.map((size) => new Virtqueue(ports.ram, size, (reason) => this.fail(reason)));
    this.pci = new PciFunction(ports.spaces, {
      vendorId: VIRTIO_VENDOR,
      deviceId: VIRTIO_DEVICE_BASE + fn.type,
      // Version 1 devices have a revision of at least 1 and a subsystem ID of at least 0x40 (4.1.2.1).
      revision: 1,
      classCode: fn.classCode,
      subsystemVendorId: VIRTIO_VENDOR,
      subsystemId: VIRTIO_DEVICE_BASE + fn.type,
      ...(ports.name !== undefined && { name: ports.name }),
    });
    // One vector for each queue and one for configuration changes.
    this.msix = new Msix(this.pci, fn.queueSizes.length + 1, MSIX_BAR, ports.msi);
    this.common = new CommonConfig(this.queues, fn.features, {
      hasVector: (vector) => this.msix.has(vector),
      statusWritten: (before, now) => this.statusWritten(before, now),
    });
    this.pci.addBar({ index: MSIX_BAR, kind: "memory32", size: MSIX_REGION_SIZE, handler: this.msix.handler });
    this.pci.addBar({
      index: REGION_BAR,
      kind: "memory64",
      size: REGION_SIZE,
      prefetchable: true,
      handler: this.regionHandler,
    });
    addVirtioCapabilities(this.pci, this.regionHandler);
    this.pci.connectPin(1, ports.intx);
    this.pci.seal();
    fn.attach(this);
  }

  reset(): void {
    this.resetFunction();
    this.common.powerOn();
    this.pci.reset();
    this.msix.reset();
  }

  save(): VirtioPciState<State> {
    return {
      device: "virtio-pci",
      version: 1,
      type: this.fn.type,
      pci: this.pci.save(),
      msix: this.msix.save(),
      ...this.common.save(),
      isr: this.isr,
      function: this.fn.save(),
    };
  }

  restore(state: VirtioPciState<State>): void {
    checkState(state, "virtio-pci", 1);
    if (state.type !== this.fn.type || state.queues.length !== this.queues.length) {
      throw new OperatorError(
        "bad-snapshot",
        `snapshot holds a virtio device of type ${state.type} where type ${this.fn.type} is needed; ` +
          "restore it into a machine of the same configuration",
      );
    }
    this.pci.restore(state.pci);
    this.msix.restore(state.msix);
    this.common.restore(state);
    this.isr = state.isr;
    this.fn.restore(state.function);
  }

  async pause(): Promise<void> {
    await this.fn.pause?.();
  }

  resume(): void {
    this.fn.resume?.();
  }

  get running(): boolean {
    return (this.common.status & (DeviceStatus.DriverOk | DeviceStatus.NeedsReset)) === DeviceStatus.DriverOk;
  }

  hasFeature(bit: number): boolean {
    return this.common.negotiated(bit);
  }

  used(index: number): void {
    const queue = this.queues[index];
    if (!queue.needsInterrupt()) return;
    this.interrupt(queue.s.vector, Isr.Queue);
  }

  configChanged(): void {
    this.common.configChanged();
    if ((this.common.status & DeviceStatus.DriverOk) !== 0) this.interrupt(this.common.configVector, Isr.Config);
  }

  fail(reason: string): void {
    if ((this.common.status & DeviceStatus.NeedsReset) !== 0) return;
    this.common.status |= DeviceStatus.NeedsReset;
    this.ports.onFailure?.(reason);
    this.configChanged();
  }

  private interrupt(vector: number, cause: Isr): void {
    if (this.msix.enabled) {
      if (vector !== NO_VECTOR) this.msix.notify(vector);
      return;
    }
    this.isr |= cause;
    this.pci.setIntx(true);
  }

  private resetFunction(): void {
    this.fn.reset();
    this.common.reset();
    this.isr = 0;
    this.pci.setIntx(false);
  }

  private statusWritten(before: number, now: number): void {
    if (now === 0) {
      this.resetFunction();
      return;
    }
    if ((now & ~before & DeviceStatus.DriverOk) === 0) return;
    // Requests that were made before DRIVER_OK, or before a restore, get no other notification.
    for (let i = 0; i < this.queues.length; i++) this.fn.notify(i);
  }

  private readRegion(offset: number, size: AccessSize): number {
    const at = offset % Region.Span;
    switch (offset - at) {
      case Region.Common:
        return this.common.read(at, size);
      case Region.Isr: {
        if (at !== 0) return 0;
        // Reading acknowledges, and releases the pin (4.1.4.5).
        const value = this.isr;
        this.isr = 0;
        this.pci.setIntx(false);
        return value;
      }
      case Region.Device:
        return this.fn.readConfig(at, size);
      default:
        return 0;
    }
  }

  private writeRegion(offset: number, size: AccessSize, value: number): void {
    const at = offset % Region.Span;
    switch (offset - at) {
      case Region.Common:
        this.common.write(at, size, value);
        break;
      case Region.Device:
        this.fn.writeConfig(at, size, value);
        break;
      case Region.Notify: {
        const queue = Math.floor(at / NOTIFY_MULTIPLIER);
        if (queue < this.queues.length && this.running) this.fn.notify(queue);
        break;
      }
      default:
        break;
    }
  }
}
