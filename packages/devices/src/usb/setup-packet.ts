// SPDX-License-Identifier: Apache-2.0

/** The eight bytes that begin a control transfer (USB 2.0, 9.3). */
export interface SetupPacket {
  /** Direction, type and recipient. */
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  /** Bytes that follow, or that the host has room for. */
  readonly length: number;
}

export const SETUP_LENGTH = 8;

export function parseSetup(low: number, high: number): SetupPacket {
  return {
    requestType: low & 0xff,
    request: (low >>> 8) & 0xff,
    value: low >>> 16,
    index: high & 0xffff,
    length: high >>> 16,
  };
}

/** Bits of the request type. */
export const enum RequestType {
  ToHost = 0x80,
  TypeMask = 0x60,
  Standard = 0x00,
  Class = 0x20,
  RecipientMask = 0x1f,
  Device = 0,
  Interface = 1,
  Endpoint = 2,
}

/** Standard requests (USB 2.0, 9.4; USB 3.0, 9.4). */
export const enum Request {
  GetStatus = 0,
  ClearFeature = 1,
  SetFeature = 3,
  SetAddress = 5,
  GetDescriptor = 6,
  GetConfiguration = 8,
  SetConfiguration = 9,
  GetInterface = 10,
  SetInterface = 11,
  SetSel = 48,
  SetIsochronousDelay = 49,
}

export const enum FeatureSelector {
  EndpointHalt = 0,
  /** With an interface as recipient: function suspend. */
  FunctionSuspend = 0,
  RemoteWakeup = 1,
  U1Enable = 48,
  U2Enable = 49,
}
