// SPDX-License-Identifier: Apache-2.0
import { type AgentFrame, RELAY_BYTES, addressOf, at, valueOf } from "./agent-frame.js";
import { Request } from "./exec-protocol.js";
import { O_RDWR, O_NOCTTY, O_CLOEXEC, TIOCSWINSZ, TIOCSPTLCK, TIOCGPTPEER, Sys } from "./linux-abi.js";
import type { Place } from "./machine-code.js";

/** Takes the connection of the next stream: 0 input, 1 output, 2 errors. */
export function acceptStream(frame: AgentFrame, index: 0 | 1 | 2): void {
  frame.code.call(frame.acceptFromHost);
  frame.code.jumpIf(valueOf(frame.accepted), "<", 0, frame.quit);
  frame.code.set(frame.sockets[index], valueOf(frame.accepted));
}

/** Starts a process that copies `from` to `to`, and closes `unneeded` in it. */
function startRelay(frame: AgentFrame, from: Place, to: Place, unneeded: readonly Place[]): void {
  const { code, result, quit } = frame;
  const parent = code.label();
  code.system(Sys.Fork, [], result);
  code.jumpIf(valueOf(result), "<", 0, quit);
  code.jumpIf(valueOf(result), "!=", 0, parent);
  frame.close(frame.connection, frame.streams, ...unneeded);
  code.set(frame.from, valueOf(from));
  code.set(frame.to, valueOf(to));
  code.jump(frame.relay);
  code.put(parent);
}

/** Pipes between the sockets and the program: only pipes can be opened again, as `/dev/stderr` is. */
export function makePipes(frame: AgentFrame): void {
  const { code, from, to, standard, sockets } = frame;
  const [stdin, stdout, stderr] = standard;
  const [input, output, errors] = sockets;
  code.call(frame.openPipe);
  code.set(stdin, valueOf(from));
  startRelay(frame, input, to, [stdin, output, errors]);
  frame.close(input, to);
  code.call(frame.openPipe);
  code.set(stdout, valueOf(to));
  startRelay(frame, from, output, [stdin, stdout, errors]);
  frame.close(output, from);
  code.call(frame.openPipe);
  code.set(stderr, valueOf(to));
  startRelay(frame, from, errors, [stdin, stdout, stderr]);
  frame.close(errors, from);
}

/** A terminal of the size that the request says, and the two relays between it and the sockets. */
export function makeTerminal(frame: AgentFrame): void {
  const { code, master, standard, sockets, quit } = frame;
  const [slave] = standard;
  const [input, output] = sockets;
  const name = code.place(new TextEncoder().encode("/dev/ptmx\0"));
  const unlocked = code.variable();
  code.system(Sys.Open, [addressOf(name), O_RDWR | O_NOCTTY | O_CLOEXEC, 0], master);
  code.jumpIf(valueOf(master), "<", 0, quit);
  code.system(Sys.Ioctl, [valueOf(master), TIOCSPTLCK, addressOf(unlocked)]);
  code.system(Sys.Ioctl, [valueOf(master), TIOCSWINSZ, addressOf(at(frame.header, Request.WindowSize))]);
  code.system(Sys.Ioctl, [valueOf(master), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], slave);
  code.jumpIf(valueOf(slave), "<", 0, quit);
  code.set(standard[1], valueOf(slave));
  code.set(standard[2], valueOf(slave));
  startRelay(frame, input, master, [slave, output]);
  startRelay(frame, master, output, [slave, input]);
  frame.close(input, output);
}

/** `from` and `to` become the two ends of a new pipe. */
export function pipeRoutine(frame: AgentFrame): void {
  const { code, pipe } = frame;
  code.put(frame.openPipe);
  code.system(Sys.Pipe2, [addressOf(pipe), O_CLOEXEC], frame.result);
  code.jumpIf(valueOf(frame.result), "<", 0, frame.quit);
  code.setToHalf(frame.from, pipe, "low");
  code.setToHalf(frame.to, pipe, "high");
  code.returnFromCall();
}

/** Copies until there is no more, or nobody takes it, and ends the process. */
export function relayRoutine(frame: AgentFrame): void {
  const { code, quit, from, to, result } = frame;
  const [loop, rest] = [code.label(), code.label()];
  const [place, left] = [code.variable(), code.variable()];
  code.put(frame.relay);
  code.put(loop);
  code.system(Sys.Read, [valueOf(from), addressOf(frame.buffer), RELAY_BYTES], left);
  code.jumpIf(valueOf(left), "<=", 0, quit);
  code.set(place, addressOf(frame.buffer));
  code.put(rest);
  code.system(Sys.Write, [valueOf(to), valueOf(place), valueOf(left)], result);
  code.jumpIf(valueOf(result), "<=", 0, quit);
  code.add(place, valueOf(result));
  code.subtract(left, valueOf(result));
  code.jumpIf(valueOf(left), ">", 0, rest);
  code.jump(loop);
}
