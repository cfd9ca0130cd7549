// SPDX-License-Identifier: Apache-2.0
export { Loudspeaker, type SoundPiece } from "./audio/loudspeaker.js";
export * from "./clock.js";
export * from "./decompressor.js";
export type { DiskSource, ImageSource } from "./disk/disk-source.js";
export type { StoredFile } from "./disk/disk-folder.js";
export { CanvasScreen } from "./display/canvas-screen.js";
export { type PictureChange, pictureChange } from "./display/picture-change.js";
export * from "./entropy.js";
export * from "./event-loop.js";
export { Keyboard } from "./input/keyboard.js";
export { Mouse } from "./input/mouse.js";
export { scanCodeOf } from "./input/scan-codes.js";
export { TouchPad } from "./input/touch.js";
export * from "./timers.js";
export * from "./wasm-host.js";
export { MachineClient, type MachineListener, type WorkerLike } from "./worker/machine-client.js";
export {
  type ErrorMessage,
  type EventMessage,
  type MachineRequest,
  NETWORK_LINK,
  type NetworkRequest,
  PROTOCOL_VERSION,
  type StopMessage,
  type ToPage,
  type ToWorker,
} from "./worker/protocol.js";
export { serveMachine } from "./worker/serve-machine.js";
