// SPDX-License-Identifier: Apache-2.0
import { type AgentFrame, addressOf, at, valueOf, words } from "./agent-frame.js";
import { EXEC_MAGIC, Message, MESSAGE_LENGTH, Request } from "./exec-protocol.js";
import { POLLIN, SIGHUP, SIG_SETMASK, TIOCSCTTY, TIOCSWINSZ, Sys } from "./linux-abi.js";

const POLL_ENTRY = 8;
const WINDOW_SIZE = 8;
/** The kernel's `struct sigaction`, its set of signals, and how many there are (signal(7)). */
const SIGACTION = 32;
const SIGNAL_SET = 8;
const SIGNALS = 64;
/** What shells say of a program that they cannot execute. */
const CANNOT_EXECUTE = 126;

/** Waits for the program's end and obeys the host meanwhile. */
export function watch(frame: AgentFrame): void {
  const { code, quit, child, result, connection, standard } = frame;
  const [loop, ended, size, hangUp] = [code.label(), code.label(), code.label(), code.label()];
  const process = code.variable();
  const polled = code.reserve(2 * POLL_ENTRY);
  const received = code.reserve(MESSAGE_LENGTH);
  const kind = code.variable();
  const group = code.variable();
  frame.close(standard[0], standard[1], standard[2]);
  code.system(Sys.PidfdOpen, [valueOf(child), 0], process);
  code.jumpIf(valueOf(process), "<", 0, quit);
  code.set(group, 0);
  code.subtract(group, valueOf(child));
  // struct pollfd: descriptor, then wanted and reported events of 16 bits each.
  code.setHalves(polled, valueOf(connection), POLLIN);
  code.setHalves(at(polled, POLL_ENTRY), valueOf(process), POLLIN);
  code.put(loop);
  code.system(Sys.Poll, [addressOf(polled), 2, -1]);
  code.setToHalf(frame.scratch, at(polled, POLL_ENTRY), "high");
  code.jumpIf(valueOf(frame.scratch), "!=", POLLIN, ended);
  code.setToHalf(frame.scratch, polled, "high");
  code.jumpIf(valueOf(frame.scratch), "=", POLLIN, loop);
  frame.receive(received, MESSAGE_LENGTH);
  code.jumpIf(valueOf(result), "!=", MESSAGE_LENGTH, hangUp);
  code.setToHalf(kind, received, "low");
  code.setToHalf(frame.scratch, received, "high");
  code.jumpIf(valueOf(kind), "=", Message.WindowSize, size);
  code.system(Sys.Kill, [valueOf(group), valueOf(frame.scratch)]);
  code.jump(loop);
  code.put(size);
  const window = code.reserve(WINDOW_SIZE);
  code.set(window, valueOf(frame.scratch));
  code.system(Sys.Ioctl, [valueOf(frame.master), TIOCSWINSZ, addressOf(window)]);
  code.jump(loop);
  // The host has gone: what a terminal's hang-up is, and from now on only the program is waited for.
  code.put(hangUp);
  code.system(Sys.Kill, [valueOf(group), SIGHUP]);
  code.setHalves(polled, -1, POLLIN);
  code.jump(loop);
  code.put(ended);
  const status = code.place(words(EXEC_MAGIC));
  code.system(Sys.Wait4, [valueOf(child), addressOf(at(status, 4)), 0, 0]);
  code.system(Sys.Write, [valueOf(connection), addressOf(status), MESSAGE_LENGTH]);
  code.jump(quit);
}

/** What the agent was started with is not for its programs: a shell's background jobs ignore SIGINT, for example. */
function resetSignals(frame: AgentFrame): void {
  const { code } = frame;
  const loop = code.label();
  const [number, none, byDefault] = [code.variable(), code.variable(), code.reserve(SIGACTION)];
  code.system(Sys.SigProcMask, [SIG_SETMASK, addressOf(none), 0, SIGNAL_SET]);
  code.set(number, 1);
  code.put(loop);
  code.system(Sys.SigAction, [valueOf(number), addressOf(byDefault), 0, SIGNAL_SET]);
  code.add(number, 1);
  code.jumpIf(valueOf(number), "<=", SIGNALS, loop);
}

/** The process becomes the program that was asked for. */
export function becomeProgram(frame: AgentFrame): void {
  const { code, standard, result } = frame;
  const refused = code.label();
  const [plain, environment] = [code.label(), code.variable()];
  resetSignals(frame);
  code.system(Sys.SetSid, []);
  standard.forEach((descriptor, number) => code.system(Sys.Dup2, [valueOf(descriptor), number]));
  code.jumpIf(frame.field(Request.Terminal), "=", 0, plain);
  code.system(Sys.Ioctl, [0, TIOCSCTTY, 0]);
  code.put(plain);
  code.system(Sys.SetGroups, [frame.field(Request.GroupCount), addressOf(at(frame.header, Request.Groups))], result);
  code.jumpIf(valueOf(result), "<", 0, refused);
  code.system(Sys.SetGid, [frame.field(Request.Gid)], result);
  code.jumpIf(valueOf(result), "<", 0, refused);
  code.system(Sys.SetUid, [frame.field(Request.Uid)], result);
  code.jumpIf(valueOf(result), "<", 0, refused);
  code.set(environment, addressOf(frame.blob));
  for (let i = 0; i < 8; i++) code.add(environment, frame.field(Request.EnvironmentIndex));
  code.set(frame.scratch, addressOf(frame.blob));
  code.loadThrough(result, frame.scratch);
  code.system(Sys.Execve, [valueOf(result), addressOf(frame.blob), valueOf(environment)]);
  code.put(refused);
  frame.exit(CANNOT_EXECUTE);
}
