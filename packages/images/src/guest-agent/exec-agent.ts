// SPDX-License-Identifier: Apache-2.0
import { AgentFrame, type AgentSockets, addressOf, at, valueOf, words } from "./agent-frame.js";
import { becomeProgram, watch } from "./agent-program.js";
import { acceptStream, makePipes, makeTerminal, pipeRoutine, relayRoutine } from "./agent-streams.js";
import { elfProgram } from "./elf-program.js";
import { ADDRESS_LENGTH, EXEC_MAGIC, EXEC_PORT, MAX_BLOB, Request } from "./exec-protocol.js";
import { AF_VSOCK, SOCK_CLOEXEC, WNOHANG, VMADDR_CID_ANY, VMADDR_CID_HOST, VMADDR_PORT_ANY, Sys } from "./linux-abi.js";

/** `struct sockaddr_vm` (vsock(7)). */
function vsockAddress(port: number): Uint8Array {
  const address = new Uint8Array(ADDRESS_LENGTH);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_VSOCK, true);
  view.setUint32(4, port, true);
  view.setUint32(8, VMADDR_CID_ANY, true);
  return address;
}

/** Over vsock, from the host only: other programs of the guest could come through its loopback. */
const VSOCK: AgentSockets = {
  family: AF_VSOCK,
  address: vsockAddress(EXEC_PORT),
  anyPort: vsockAddress(VMADDR_PORT_ANY),
  peerOffset: 8,
  peer: VMADDR_CID_HOST,
};

const RETRY_NANOSECONDS = 50_000_000;

/** Waits for sessions; each gets a process of its own. */
function listen(frame: AgentFrame): void {
  const { code, listener, connection, child } = frame;
  const [next, reap, session, failed] = [code.label(), code.label(), code.label(), code.label()];
  const pause = code.place(words(0, RETRY_NANOSECONDS));
  frame.socket(listener, frame.kind.address);
  code.put(next);
  code.put(reap);
  code.system(Sys.Wait4, [-1, 0, WNOHANG, 0], frame.result);
  code.jumpIf(valueOf(frame.result), ">", 0, reap);
  code.set(frame.streams, valueOf(listener));
  code.call(frame.acceptFromHost);
  code.set(connection, valueOf(frame.accepted));
  code.jumpIf(valueOf(connection), "<", 0, failed);
  code.system(Sys.Fork, [], child);
  code.jumpIf(valueOf(child), "=", 0, session);
  frame.close(connection);
  code.jump(next);
  // Out of descriptors or memory: a while later there may be some.
  code.put(failed);
  code.system(Sys.Nanosleep, [addressOf(pause), 0]);
  code.jump(next);
  code.put(session);
  frame.close(listener);
}

/** `accepted` becomes the next connection at `streams` that comes from the host, or negative if there can be none. */
function acceptRoutine(frame: AgentFrame): void {
  const { code, kind } = frame;
  const [again, done] = [code.label(), code.label()];
  code.put(frame.acceptFromHost);
  code.put(again);
  code.set(frame.addressLength, ADDRESS_LENGTH);
  const peer = addressOf(frame.peer);
  code.system(
    Sys.Accept4,
    [valueOf(frame.streams), peer, addressOf(frame.addressLength), SOCK_CLOEXEC],
    frame.accepted,
  );
  code.jumpIf(valueOf(frame.accepted), "<", 0, done);
  code.setToHalf(frame.scratch, at(frame.peer, kind.peerOffset & ~7), (kind.peerOffset & 4) === 0 ? "low" : "high");
  code.jumpIf(valueOf(frame.scratch), "=", kind.peer, done);
  frame.close(frame.accepted);
  code.jump(again);
  code.put(done);
  code.returnFromCall();
}

/** Takes the request; who speaks another language is left alone. */
function readRequest(frame: AgentFrame): void {
  const { code, quit, result } = frame;
  frame.receive(frame.header, Request.Length);
  code.jumpIf(valueOf(result), "!=", Request.Length, quit);
  code.jumpIf(frame.field(Request.Magic), "!=", EXEC_MAGIC, quit);
  code.jumpIf(frame.field(Request.BlobLength), ">", MAX_BLOB, quit);
  frame.receive(frame.blob, frame.field(Request.BlobLength));
  code.jumpIf(valueOf(result), "!=", frame.field(Request.BlobLength), quit);
}

/** Turns the offsets of the table into addresses; zeros stay, as the ends of the two lists. */
function relocate(frame: AgentFrame): void {
  const { code, scratch, result } = frame;
  const [loop, skip, done] = [code.label(), code.label(), code.label()];
  const [entry, left] = [code.variable(), code.variable()];
  code.set(entry, addressOf(frame.blob));
  code.set(left, frame.field(Request.TableWords));
  code.put(loop);
  code.jumpIf(valueOf(left), "<=", 0, done);
  code.loadThrough(scratch, entry);
  code.jumpIf(valueOf(scratch), "=", 0, skip);
  code.set(result, addressOf(frame.blob));
  code.add(result, valueOf(scratch));
  code.storeThrough(entry, valueOf(result));
  code.put(skip);
  code.add(entry, 8);
  code.add(left, -1);
  code.jump(loop);
  code.put(done);
}

/** One program: its request, its streams, its process. */
function session(frame: AgentFrame): void {
  const { code, quit, streams, child } = frame;
  const [terminal, ready, program] = [code.label(), code.label(), code.label()];
  readRequest(frame);
  relocate(frame);
  frame.socket(streams, frame.kind.anyPort);
  code.set(frame.addressLength, ADDRESS_LENGTH);
  code.system(Sys.GetSockName, [valueOf(streams), addressOf(frame.peer), addressOf(frame.addressLength)]);
  code.system(Sys.Write, [valueOf(frame.connection), addressOf(frame.peer), ADDRESS_LENGTH]);
  acceptStream(frame, 0);
  acceptStream(frame, 1);
  code.jumpIf(frame.field(Request.Terminal), "!=", 0, terminal);
  acceptStream(frame, 2);
  makePipes(frame);
  code.jump(ready);
  code.put(terminal);
  makeTerminal(frame);
  code.put(ready);
  frame.close(streams);
  code.system(Sys.Fork, [], child);
  code.jumpIf(valueOf(child), "=", 0, program);
  code.jumpIf(valueOf(child), "<", 0, quit);
  watch(frame);
  code.put(program);
  becomeProgram(frame);
}

/** The guest's end of `isola exec`: a program for 64-bit Linux, of a few KiB. */
export function execAgent(sockets: AgentSockets = VSOCK): Uint8Array {
  const frame = new AgentFrame(sockets);
  listen(frame);
  session(frame);
  acceptRoutine(frame);
  pipeRoutine(frame);
  relayRoutine(frame);
  frame.code.put(frame.quit);
  frame.exit(0);
  return elfProgram(frame.code);
}
