// SPDX-License-Identifier: Apache-2.0
import type { SocketConnection } from "@isola/host-node";
import { stderrLog } from "./machine-files.js";

/**
 * Hands on what a connection brings. Whatever is thrown there is a mistake of ours: it is reported with `whose` connection
 * it was, and ends that, but not the machine.
 */
export function guardedReceive(
  connection: SocketConnection,
  whose: string,
  receive: (bytes: Uint8Array) => void,
): (bytes: Uint8Array) => void {
  return (bytes) => {
    try {
      receive(bytes);
    } catch (error) {
      stderrLog.warn(`internal error in ${whose} connection: ${String(error)}`);
      connection.end();
    }
  };
}
