// SPDX-License-Identifier: Apache-2.0
import { deflateBlocks, hostEntropy, SocketServer } from "@isola/host-node";
import type { InputSink } from "@isola/ports";
import { RfbSession } from "@isola/rfb";
import type { Vm } from "@isola/vmm";
import { guardedReceive } from "./guarded-receive.js";
import { readPassword, type VncRequest } from "./vnc-option.js";

const REFRESH_MS = 40;
const MAX_VIEWERS = 16;

/** What is typed while a machine is paused is lost, as with one that hangs. */
function inputOf(vm: Vm): InputSink {
  return {
    key(code, pressed) {
      if (vm.state === "running") vm.perform({ type: "key-input", code, pressed });
    },
    mouse(dx, dy, wheel, buttons, at) {
      if (vm.state === "running") vm.perform({ type: "mouse-input", dx, dy, wheel, buttons, ...(at && { at }) });
    },
  };
}

/** Shows the screen of a machine to VNC viewers until it has stopped. */
export async function serveVnc(vm: Vm, request: VncRequest): Promise<void> {
  const password = request.passwordFile === null ? null : readPassword(request.passwordFile);
  const viewers = new Set<RfbSession>();
  const screen = { picture: () => vm.screen() };
  const server = await SocketServer.listen(request.at, (connection) => {
    if (viewers.size >= MAX_VIEWERS) return null;
    const viewer = new RfbSession({
      screen,
      input: inputOf(vm),
      entropy: hostEntropy,
      compress: deflateBlocks,
      password,
      name: "Isola",
      send: (bytes) => connection.send(bytes),
      backlog: () => connection.backlog,
      onDone: () => connection.end(),
    });
    viewers.add(viewer);
    return {
      receive: guardedReceive(connection, "a viewer's", (bytes) => viewer.receive(bytes)),
      closed() {
        viewers.delete(viewer);
        viewer.close();
      },
    };
  });
  const timer = setInterval(() => {
    for (const viewer of viewers) viewer.refresh();
  }, REFRESH_MS);
  timer.unref();
  vm.listen((event) => {
    if (event.type !== "stopped") return;
    clearInterval(timer);
    server.close();
  });
  process.stderr.write(`isola: VNC viewers may connect to ${server.address}\r\n`);
}
