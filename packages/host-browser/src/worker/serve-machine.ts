// SPDX-License-Identifier: Apache-2.0
import { threadLoopHost } from "../event-loop.js";
import { MachineService } from "./machine-service.js";
import type { ToPage, ToWorker } from "./protocol.js";

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  postMessage(message: ToPage, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
}

/** Makes the worker that this is called in run machines for its page. */
export function serveMachine(): void {
  const scope = globalThis as unknown as WorkerScope;
  const service = new MachineService(
    (message, transfer = []) => scope.postMessage(message, transfer),
    threadLoopHost(),
  );
  scope.addEventListener("message", ({ data }) => service.receive(data));
}
