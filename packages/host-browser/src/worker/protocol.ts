// SPDX-License-Identifier: Apache-2.0
import type { MachineConfig } from "@isola/machine";
import type { MachineStatistics, StopReason, VmmAction, VmmEvent, VmState } from "@isola/vmm";
import type { SoundPiece } from "../audio/loudspeaker.js";
import type { DiskSource, ImageSource } from "../disk/disk-source.js";
import type { StoredFile } from "../disk/disk-folder.js";
import type { PictureChange } from "../display/picture-change.js";

/** Raised with every change of what pages and workers say to each other; a page refuses another version's worker. */
export const PROTOCOL_VERSION = 2;

/** How a machine in a tab reaches the network. */
export interface NetworkRequest {
  /** Address of a relay (`ws:` or `wss:`) that has sockets of its host, token included. */
  readonly relay: string;
  /** Whether guests reach the relay's own host at the gateway's address; the relay has to allow it too. */
  readonly hostLoopback: boolean;
}

/** A machine to make: its configuration, and where the things are that this refers to by name. */
export interface MachineRequest {
  readonly config: MachineConfig;
  /** Addresses of the engine's own modules. */
  readonly modules: { readonly helpers: string; readonly interpreter: string };
  readonly files: { readonly [name: string]: ImageSource };
  readonly disks: { readonly [store: string]: DiskSource };
  /** For the network cards whose link is {@link NETWORK_LINK}. */
  readonly network: NetworkRequest | null;
  /** Under which name compiled code of this guest is kept, for which version of the program; null for not at all. */
  readonly translations: { readonly name: string; readonly version: string } | null;
  readonly onGuestReset: "restart" | "stop";
}

/** The name by which network cards refer to the one network that a machine in a tab can have. */
export const NETWORK_LINK = "user";

/** What a page can ask for, with what it gets for an answer. A worker has one machine at a time. */
export interface Calls {
  /** Makes a machine, which is then `created`. */
  create: { readonly request: MachineRequest; readonly answer: null };
  perform: { readonly request: VmmAction; readonly answer: null };
  /** What has changed on the screen since the last one; null if nothing, "off" if the display is switched off. */
  screen: { readonly request: { readonly whole: boolean }; readonly answer: PictureChange | "off" | null };
  /** Lines of a text screen; null if there is none, or it shows graphics. */
  "screen-text": { readonly request: null; readonly answer: readonly string[] | null };
  statistics: { readonly request: null; readonly answer: MachineStatistics | null };
  disks: { readonly request: null; readonly answer: readonly StoredFile[] };
  "delete-disk": { readonly request: { readonly name: string }; readonly answer: null };
  /** A qcow2 image of a disk that no machine has open. It is good until the next export. */
  "export-disk": { readonly request: DiskSource; readonly answer: Blob };
  /** Replaces a disk that no machine has open. */
  "import-disk": { readonly request: { readonly name: string; readonly image: ImageSource }; readonly answer: null };
}

export type CallName = keyof Calls;
/** A call that is sent, whichever it is. */
export type AnyCall = { [K in CallName]: { readonly name: K; readonly request: Calls[K]["request"] } }[CallName];

/** An error on its way between threads. */
export interface ErrorMessage {
  /** Code of an OperatorError, or null: a bug of ours. */
  readonly code: string | null;
  readonly message: string;
  readonly stack: string | null;
}

/** Why a machine has stopped; like {@link StopReason}, with an error that can be sent. */
export type StopMessage =
  | Exclude<StopReason, { readonly kind: "failed" }>
  | { readonly kind: "failed"; readonly error: ErrorMessage };

export type EventMessage =
  | Exclude<VmmEvent, { readonly type: "stopped" }>
  | { readonly type: "stopped"; readonly reason: StopMessage };

/** From a page to its worker. */
export type ToWorker =
  | { readonly type: "call"; readonly id: number; readonly call: AnyCall }
  /** What happens at a keyboard or a mouse; it is lost unless the machine runs. */
  | { readonly type: "input"; readonly action: VmmAction & { readonly type: "key-input" | "mouse-input" } }
  /** Types text on a US keyboard, at the speed that guests can follow. */
  | { readonly type: "type"; readonly text: string }
  /** So many bytes of serial output have been shown. */
  | { readonly type: "serial-shown"; readonly bytes: number };

/** From a worker to its page. */
export type ToPage =
  /** The first message: the worker is ready. */
  | { readonly type: "hello"; readonly version: number }
  | { readonly type: "answer"; readonly id: number; readonly value: unknown }
  | { readonly type: "failure"; readonly id: number; readonly error: ErrorMessage }
  | { readonly type: "event"; readonly event: EventMessage; readonly state: VmState }
  | { readonly type: "serial"; readonly port: number; readonly bytes: Uint8Array }
  | { readonly type: "sound"; readonly piece: SoundPiece }
  /** Something that takes long gets on; `total` is 0 if nobody knows how long. */
  | { readonly type: "progress"; readonly what: string; readonly done: number; readonly total: number }
  | { readonly type: "warning"; readonly message: string };
