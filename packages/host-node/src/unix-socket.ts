// SPDX-License-Identifier: Apache-2.0
import { lstatSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { OperatorError } from "@isola/base";

const OWNER_ONLY = 0o177;

/** Whether a socket file was left behind by a server that is gone. */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

/** Removes a socket file that a server which is gone has left behind; anything else stays. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === true && (await isStale(path))) unlinkSync(path);
}

/** Does something during which new files and sockets are for their owner only. */
export function whileOwnerOnly(task: () => void): void {
  const before = process.umask(OWNER_ONLY);
  try {
    task();
  } finally {
    process.umask(before);
  }
}

/** Lets a server listen at a Unix socket for its owner only. Rejects with OperatorError `port-not-available`. */
export function listenForOwner(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(new OperatorError("port-not-available", `cannot listen at ${path}: ${error.message}`, { cause: error })),
    );
    whileOwnerOnly(() =>
      server.listen({ path }, () => {
        server.on("error", () => {});
        resolve();
      }),
    );
  });
}
