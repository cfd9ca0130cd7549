// SPDX-License-Identifier: Apache-2.0
import { copyState } from "../device.js";
import {
  binaryObjectStore,
  CONFIGURATION,
  configurationDescriptor,
  DescriptorType,
  deviceDescriptor,
  stringDescriptor,
  type UsbIdentity,
} from "./descriptors.js";
import { ENDPOINT_IN, STALL, type UsbHost, UsbSpeed } from "./device.js";
import { FeatureSelector, Request, RequestType, type SetupPacket } from "./setup-packet.js";

/** What every device remembers. */
export interface UsbFunctionState {
  address: number;
  /** 0 until the host has chosen the configuration. */
  configuration: number;
  /** Addresses of endpoints that are halted. */
  halted: number[];
  remoteWakeup: boolean;
}

export function usbFunctionResetState(): UsbFunctionState {
  return { address: 0, configuration: 0, halted: [], remoteWakeup: false };
}

const NOBODY: UsbHost = { wake: () => {} };

/** A device of one configuration and one interface: its descriptors and standard requests (USB 2.0, chapter 9). */
export abstract class UsbFunction {
  protected host: UsbHost = NOBODY;
  protected base = usbFunctionResetState();

  constructor(
    protected readonly identity: UsbIdentity,
    readonly speed: UsbSpeed,
  ) {}

  connect(host: UsbHost): void {
    this.host = host;
  }

  /** Whether the host has configured the device. */
  get configured(): boolean {
    return this.base.configuration !== 0;
  }

  /** To be extended by what the device itself forgets. */
  busReset(): void {
    this.base = usbFunctionResetState();
  }

  control(setup: SetupPacket, data: Uint8Array): number {
    const toHost = (setup.requestType & RequestType.ToHost) !== 0;
    if ((setup.requestType & RequestType.TypeMask) === RequestType.Standard) {
      const answer = this.standard(setup);
      if (answer === null) return STALL;
      return toHost ? put(answer, data) : data.length;
    }
    if ((setup.requestType & RequestType.TypeMask) !== RequestType.Class) return STALL;
    if (!toHost) return this.classWrite(setup, data) ? data.length : STALL;
    const answer = this.classRead(setup);
    return answer === null ? STALL : put(answer, data);
  }

  /** A class request that asks for data; null if there is none such. */
  protected abstract classRead(setup: SetupPacket): readonly number[] | null;
  /** A class request that brings data, perhaps none; false if there is none such. */
  protected abstract classWrite(setup: SetupPacket, data: Uint8Array): boolean;
  /** A descriptor of the interface's class; null if there is none such. */
  protected classDescriptor(_type: number): readonly number[] | null {
    return null;
  }
  /** The host has chosen the configuration, or none. */
  protected configurationSet(): void {}
  /** The host has made an endpoint work again. */
  protected haltCleared(_endpoint: number): void {}

  protected isHalted(endpoint: number): boolean {
    return this.base.halted.includes(endpoint);
  }

  protected halt(endpoint: number): void {
    if (!this.isHalted(endpoint)) this.base.halted.push(endpoint);
  }

  protected saveBase(): UsbFunctionState {
    return copyState(this.base);
  }

  protected restoreBase(state: UsbFunctionState): void {
    this.base = copyState(state);
  }

  /** Data of a standard request, empty for one without; null if it is refused. */
  private standard(setup: SetupPacket): readonly number[] | null {
    switch (setup.requestType & RequestType.RecipientMask) {
      case RequestType.Device:
        return this.deviceRequest(setup);
      case RequestType.Interface:
        return this.interfaceRequest(setup);
      case RequestType.Endpoint:
        return this.endpointRequest(setup);
      default:
        return null;
    }
  }

  private deviceRequest({ requestType, request, value }: SetupPacket): readonly number[] | null {
    const { base } = this;
    if ((requestType & RequestType.ToHost) !== 0) {
      switch (request) {
        case Request.GetStatus:
          return [base.remoteWakeup ? 2 : 0, 0];
        case Request.GetDescriptor:
          return this.descriptor(value >> 8, value & 0xff);
        case Request.GetConfiguration:
          return [base.configuration];
        default:
          return null;
      }
    }
    switch (request) {
      case Request.SetAddress:
        base.address = value & 0x7f;
        return [];
      case Request.SetConfiguration:
        return this.configure(value);
      case Request.SetFeature:
      case Request.ClearFeature:
        return this.deviceFeature(value, request === Request.SetFeature);
      case Request.SetSel:
      case Request.SetIsochronousDelay:
        return this.speed === UsbSpeed.Super ? [] : null;
      default:
        return null;
    }
  }

  private configure(value: number): readonly number[] | null {
    if (value !== 0 && value !== CONFIGURATION) return null;
    this.base.configuration = value;
    this.base.halted = [];
    this.configurationSet();
    return [];
  }

  private deviceFeature(feature: number, on: boolean): readonly number[] | null {
    if (feature === FeatureSelector.RemoteWakeup && this.identity.remoteWakeup) {
      this.base.remoteWakeup = on;
      return [];
    }
    const linkPower = feature === FeatureSelector.U1Enable || feature === FeatureSelector.U2Enable;
    return linkPower && this.speed === UsbSpeed.Super ? [] : null;
  }

  private interfaceRequest({ requestType, request, value, index }: SetupPacket): readonly number[] | null {
    if ((index & 0xff) !== 0) return null;
    if ((requestType & RequestType.ToHost) !== 0) {
      switch (request) {
        case Request.GetStatus:
          return [0, 0];
        case Request.GetInterface:
          return this.configured ? [0] : null;
        case Request.GetDescriptor:
          return this.classDescriptor(value >> 8);
        default:
          return null;
      }
    }
    if (request === Request.SetInterface) return value === 0 ? [] : null;
    const suspend = request === Request.SetFeature || request === Request.ClearFeature;
    return suspend && value === FeatureSelector.FunctionSuspend && this.speed === UsbSpeed.Super ? [] : null;
  }

  private endpointRequest({ requestType, request, value, index }: SetupPacket): readonly number[] | null {
    const address = index & 0xff;
    const known = (address & ~ENDPOINT_IN) === 0 || this.identity.endpoints.some((one) => one.address === address);
    if (!known) return null;
    if ((requestType & RequestType.ToHost) !== 0)
      return request === Request.GetStatus ? [this.isHalted(address) ? 1 : 0, 0] : null;
    if (value !== FeatureSelector.EndpointHalt || (address & ~ENDPOINT_IN) === 0) return null;
    if (request === Request.SetFeature) this.halt(address);
    else if (request === Request.ClearFeature) {
      this.base.halted = this.base.halted.filter((one) => one !== address);
      this.haltCleared(address);
    } else return null;
    return [];
  }

  private descriptor(type: number, index: number): readonly number[] | null {
    switch (type) {
      case DescriptorType.Device:
        return deviceDescriptor(this.identity, this.speed);
      case DescriptorType.Configuration:
        return index === 0 ? configurationDescriptor(this.identity, this.speed) : null;
      case DescriptorType.String:
        return stringDescriptor(this.identity, index);
      case DescriptorType.Bos:
        return this.speed === UsbSpeed.Super ? binaryObjectStore() : null;
      default:
        return null;
    }
  }
}

/** As much of an answer as the host has room for. */
function put(answer: readonly number[], into: Uint8Array): number {
  const length = Math.min(answer.length, into.length);
  for (let i = 0; i < length; i++) into[i] = answer[i];
  return length;
}
