// SPDX-License-Identifier: Apache-2.0
import { UsbSpeed } from "./device.js";

/** Descriptor types (USB 3.0, table 9-5; HID 1.11, 7.1). */
export const enum DescriptorType {
  Device = 1,
  Configuration = 2,
  String = 3,
  Interface = 4,
  Endpoint = 5,
  DeviceQualifier = 6,
  OtherSpeed = 7,
  Bos = 15,
  Capability = 16,
  Hid = 0x21,
  HidReport = 0x22,
  EndpointCompanion = 48,
}

export const enum EndpointKind {
  Bulk = 2,
  Interrupt = 3,
}

export interface EndpointSpec {
  /** Number, with bit 7 for those towards the host. */
  readonly address: number;
  readonly kind: EndpointKind;
  readonly maxPacket: number;
  /** As the descriptor has it: frames, or an exponent at high speed and above; 0 for bulk. */
  readonly interval: number;
  /** Packets in a burst less one, at super speed. */
  readonly burst?: number;
}

/** What a device of one configuration and one interface says of itself. */
export interface UsbIdentity {
  readonly vendorId: number;
  readonly productId: number;
  readonly release: number;
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
  readonly interfaceClass: number;
  readonly interfaceSubclass: number;
  readonly interfaceProtocol: number;
  /** Class-specific descriptors between interface and endpoints. */
  readonly classDescriptors: readonly number[];
  readonly endpoints: readonly EndpointSpec[];
  /** In mA, at most 500. */
  readonly power: number;
  readonly remoteWakeup: boolean;
}

/** The number by which the one configuration is chosen. */
export const CONFIGURATION = 1;
const ENGLISH = 0x0409;
const enum StringIndex {
  Languages = 0,
  Manufacturer = 1,
  Product = 2,
  Serial = 3,
}

function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}

/** Device descriptor (9.6.1). A super speed device gives the size of packets of endpoint 0 as an exponent. */
export function deviceDescriptor(identity: UsbIdentity, speed: UsbSpeed): number[] {
  const version = speed === UsbSpeed.Super ? 0x0300 : 0x0200;
  const packet = speed === UsbSpeed.Super ? 9 : speed === UsbSpeed.High ? 64 : 8;
  return [
    ...[18, DescriptorType.Device, ...word(version), 0, 0, 0, packet],
    ...[...word(identity.vendorId), ...word(identity.productId), ...word(identity.release)],
    ...[StringIndex.Manufacturer, StringIndex.Product, StringIndex.Serial, 1],
  ];
}

function endpointDescriptors(spec: EndpointSpec, speed: UsbSpeed): number[] {
  const endpoint = [7, DescriptorType.Endpoint, spec.address, spec.kind, ...word(spec.maxPacket), spec.interval];
  if (speed !== UsbSpeed.Super) return endpoint;
  const bytesPerInterval = spec.kind === EndpointKind.Interrupt ? spec.maxPacket : 0;
  return [...endpoint, 6, DescriptorType.EndpointCompanion, spec.burst ?? 0, 0, ...word(bytesPerInterval)];
}

/** The configuration, its interface and its endpoints (9.6.3 to 9.6.7). */
export function configurationDescriptor(identity: UsbIdentity, speed: UsbSpeed): number[] {
  const body = [
    ...[9, DescriptorType.Interface, 0, 0, identity.endpoints.length],
    ...[identity.interfaceClass, identity.interfaceSubclass, identity.interfaceProtocol, 0],
    ...identity.classDescriptors,
    ...identity.endpoints.flatMap((endpoint) => endpointDescriptors(endpoint, speed)),
  ];
  const attributes = 0x80 | (identity.remoteWakeup ? 0x20 : 0);
  // Units of 2 mA, at super speed of 8 mA.
  const power = Math.ceil(identity.power / (speed === UsbSpeed.Super ? 8 : 2));
  return [
    ...[9, DescriptorType.Configuration, ...word(9 + body.length), 1, CONFIGURATION, 0, attributes, power],
    ...body,
  ];
}

/** A string in UTF-16, or the list of languages; null for one that there is not (9.6.8). */
export function stringDescriptor(identity: UsbIdentity, index: number): number[] | null {
  if (index === StringIndex.Languages) return [4, DescriptorType.String, ...word(ENGLISH)];
  const strings = [identity.manufacturer, identity.product, identity.serial];
  const text = strings[index - 1];
  if (text === undefined) return null;
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return [2 + 2 * units.length, DescriptorType.String, ...units.flatMap(word)];
}

/** Binary device object store of a super speed device: USB 2.0 extension and super speed capability (9.6.2). */
export function binaryObjectStore(): number[] {
  const extension = [7, DescriptorType.Capability, 2, 0, 0, 0, 0];
  // Speeds full, high and super, all functions from full speed on, short exit latencies of the link states.
  const superSpeed = [10, DescriptorType.Capability, 3, 0, 0x0e, 0, 1, 10, ...word(32)];
  const length = 5 + extension.length + superSpeed.length;
  return [5, DescriptorType.Bos, ...word(length), 2, ...extension, ...superSpeed];
}
