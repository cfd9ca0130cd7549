// SPDX-License-Identifier: Apache-2.0
import { GdbStub } from "@isola/gdb";
import { SocketServer } from "@isola/host-node";
import type { Vm } from "@isola/vmm";
import type { GdbRequest } from "./gdb-option.js";
import { guardedReceive } from "./guarded-receive.js";

/** Opens a machine to debuggers, one at a time, until it has stopped. */
export async function serveGdb(vm: Vm, request: GdbRequest): Promise<void> {
  let busy = false;
  const server = await SocketServer.listen(request.at, (connection) => {
    if (busy || vm.state === "stopped") return null;
    busy = true;
    const stub = new GdbStub(vm.debug(), {
      architecture: request.architecture,
      send: (bytes) => connection.send(bytes),
      onDone: () => connection.end(),
    });
    return {
      receive: guardedReceive(connection, "the debugger's", (bytes) => stub.receive(bytes)),
      closed() {
        busy = false;
        stub.close();
      },
    };
  });
  vm.listen((event) => {
    // The debugger hears of it first.
    if (event.type === "stopped") queueMicrotask(() => server.close());
  });
  process.stderr.write(`isola: GDB may connect to ${server.address}${request.wait ? ", and is waited for" : ""}\r\n`);
}
