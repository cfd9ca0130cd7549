// SPDX-License-Identifier: Apache-2.0
import { DATA_ADDRESS, elfProgram } from "./elf-program.js";
import { ADDRESS_LENGTH, EXEC_MAGIC, EXEC_PORT, MAX_BLOB, Message, MESSAGE_LENGTH, Request } from "./exec-protocol.js";
import {
  AF_VSOCK,
  MSG_WAITALL,
  O_CLOEXEC,
  O_NOCTTY,
  O_RDWR,
  POLLIN,
  SIG_SETMASK,
  SIGHUP,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  Sys,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_PORT_ANY,
  WNOHANG,
} from "./linux-abi.js";
import { MachineCode, type Place, type Value } from "./machine-code.js";

/** The kind of socket by which the agent is reached. */
export interface AgentSockets {
  readonly family: number;
  /** Where it listens, and the address that stands for a port of the kernel's choice. */
  readonly address: Uint8Array;
  readonly anyPort: Uint8Array;
  /** Where in a peer's address the four bytes are that say who it is, and what they must be. */
  readonly peerOffset: 4 | 8;
  readonly peer: number;
}

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

const BACKLOG = 64;
const RELAY_BYTES = 1 << 16;
const POLL_ENTRY = 8;
const WINDOW_SIZE = 8;
/** The kernel's `struct sigaction`, its set of signals, and how many there are (signal(7)). */
const SIGACTION = 32;
const SIGNAL_SET = 8;
const SIGNALS = 64;
/** What shells say of a program that they cannot execute. */
const CANNOT_EXECUTE = 126;
const RETRY_NANOSECONDS = 50_000_000;

const at = (place: Place, offset: number): Place => ({ offset: place.offset + offset });
const valueOf = (variable: Place): Value => ({ variable });
const addressOf = (place: Place): Value => ({ addressOf: place });

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setBigInt64(8 * i, BigInt(value), true));
  return bytes;
}

/** Writes the agent: one method for each part of its life. */
class AgentWriter {
  readonly code = new MachineCode(DATA_ADDRESS);
  private readonly quit = this.code.label();
  private readonly listener = this.code.variable();
  private readonly connection = this.code.variable();
  private readonly streams = this.code.variable();
  private readonly accepted = this.code.variable();
  private readonly result = this.code.variable();
  private readonly child = this.code.variable();
  private readonly scratch = this.code.variable();
  private readonly word = this.code.variable();
  private readonly header = this.code.reserve(Request.Length);
  private readonly blob = this.code.reserve(MAX_BLOB);
  private readonly peer = this.code.reserve(ADDRESS_LENGTH);
  private readonly addressLength = this.code.variable();
  /** Standard input, output and error of the program, and the sockets that they come from and go to. */
  private readonly standard = [this.code.variable(), this.code.variable(), this.code.variable()] as const;
  private readonly sockets = [this.code.variable(), this.code.variable(), this.code.variable()] as const;
  private readonly pipe = this.code.reserve(8);
  private readonly master = this.code.variable();
  private readonly from = this.code.variable();
  private readonly to = this.code.variable();
  private readonly buffer = this.code.reserve(RELAY_BYTES);
  private readonly acceptFromHost = this.code.label();
  private readonly relay = this.code.label();
  private readonly openPipe = this.code.label();

  constructor(private readonly kind: AgentSockets) {}

  write(): void {
    this.listen();
    this.session();
    this.acceptRoutine();
    this.pipeRoutine();
    this.relayRoutine();
    this.code.put(this.quit);
    this.exit(0);
  }

  private field(offset: number): Value {
    // Fields are of 32 bits; the variable that takes one is of 64.
    const base = at(this.header, offset & ~7);
    this.code.setToHalf(this.word, base, (offset & 4) === 0 ? "low" : "high");
    return valueOf(this.word);
  }

  private exit(status: number): void {
    this.code.system(Sys.Exit, [status]);
  }

  private close(...descriptors: readonly Place[]): void {
    for (const descriptor of descriptors) this.code.system(Sys.Close, [valueOf(descriptor)]);
  }

  private socket(result: Place, address: Uint8Array): void {
    const { code, quit } = this;
    const place = code.place(address);
    code.system(Sys.Socket, [this.kind.family, SOCK_STREAM | SOCK_CLOEXEC, 0], result);
    code.jumpIf(valueOf(result), "<", 0, quit);
    code.system(Sys.Bind, [valueOf(result), addressOf(place), ADDRESS_LENGTH], this.result);
    code.jumpIf(valueOf(this.result), "<", 0, quit);
    code.system(Sys.Listen, [valueOf(result), BACKLOG]);
  }

  /** Waits for sessions; each gets a process of its own. */
  private listen(): void {
    const { code, listener, connection, child } = this;
    const [next, reap, session, failed] = [code.label(), code.label(), code.label(), code.label()];
    const pause = code.place(words(0, RETRY_NANOSECONDS));
    this.socket(listener, this.kind.address);
    code.put(next);
    code.put(reap);
    code.system(Sys.Wait4, [-1, 0, WNOHANG, 0], this.result);
    code.jumpIf(valueOf(this.result), ">", 0, reap);
    code.set(this.streams, valueOf(listener));
    code.call(this.acceptFromHost);
    code.set(connection, valueOf(this.accepted));
    code.jumpIf(valueOf(connection), "<", 0, failed);
    code.system(Sys.Fork, [], child);
    code.jumpIf(valueOf(child), "=", 0, session);
    this.close(connection);
    code.jump(next);
    // Out of descriptors or memory: a while later there may be some.
    code.put(failed);
    code.system(Sys.Nanosleep, [addressOf(pause), 0]);
    code.jump(next);
    code.put(session);
    this.close(listener);
  }

  /** `accepted` becomes the next connection at `streams` that comes from the host, or negative if there can be none. */
  private acceptRoutine(): void {
    const { code, kind } = this;
    const [again, done] = [code.label(), code.label()];
    code.put(this.acceptFromHost);
    code.put(again);
    code.set(this.addressLength, ADDRESS_LENGTH);
    const peer = addressOf(this.peer);
    code.system(Sys.Accept4, [valueOf(this.streams), peer, addressOf(this.addressLength), SOCK_CLOEXEC], this.accepted);
    code.jumpIf(valueOf(this.accepted), "<", 0, done);
    code.setToHalf(this.scratch, at(this.peer, kind.peerOffset & ~7), (kind.peerOffset & 4) === 0 ? "low" : "high");
    code.jumpIf(valueOf(this.scratch), "=", kind.peer, done);
    this.close(this.accepted);
    code.jump(again);
    code.put(done);
    code.returnFromCall();
  }

  private session(): void {
    const { code, quit, streams, child } = this;
    const [terminal, ready, program] = [code.label(), code.label(), code.label()];
    this.readRequest();
    this.relocate();
    this.socket(streams, this.kind.anyPort);
    code.set(this.addressLength, ADDRESS_LENGTH);
    code.system(Sys.GetSockName, [valueOf(streams), addressOf(this.peer), addressOf(this.addressLength)]);
    code.system(Sys.Write, [valueOf(this.connection), addressOf(this.peer), ADDRESS_LENGTH]);
    this.acceptStream(0);
    this.acceptStream(1);
    code.jumpIf(this.field(Request.Terminal), "!=", 0, terminal);
    this.acceptStream(2);
    this.makePipes();
    code.jump(ready);
    code.put(terminal);
    this.makeTerminal();
    code.put(ready);
    this.close(streams);
    code.system(Sys.Fork, [], child);
    code.jumpIf(valueOf(child), "=", 0, program);
    code.jumpIf(valueOf(child), "<", 0, quit);
    this.watch();
    code.put(program);
    this.becomeProgram();
  }

  private receive(into: Place, length: Value): void {
    const { code } = this;
    code.system(Sys.RecvFrom, [valueOf(this.connection), addressOf(into), length, MSG_WAITALL, 0, 0], this.result);
  }

  private readRequest(): void {
    const { code, quit, result } = this;
    this.receive(this.header, Request.Length);
    code.jumpIf(valueOf(result), "!=", Request.Length, quit);
    code.jumpIf(this.field(Request.Magic), "!=", EXEC_MAGIC, quit);
    code.jumpIf(this.field(Request.BlobLength), ">", MAX_BLOB, quit);
    this.receive(this.blob, this.field(Request.BlobLength));
    code.jumpIf(valueOf(result), "!=", this.field(Request.BlobLength), quit);
  }

  /** Turns the offsets of the table into addresses; zeros stay, as the ends of the two lists. */
  private relocate(): void {
    const { code, scratch, result } = this;
    const [loop, skip, done] = [code.label(), code.label(), code.label()];
    const [entry, left] = [code.variable(), code.variable()];
    code.set(entry, addressOf(this.blob));
    code.set(left, this.field(Request.TableWords));
    code.put(loop);
    code.jumpIf(valueOf(left), "<=", 0, done);
    code.loadThrough(scratch, entry);
    code.jumpIf(valueOf(scratch), "=", 0, skip);
    code.set(result, addressOf(this.blob));
    code.add(result, valueOf(scratch));
    code.storeThrough(entry, valueOf(result));
    code.put(skip);
    code.add(entry, 8);
    code.add(left, -1);
    code.jump(loop);
    code.put(done);
  }

  private acceptStream(index: 0 | 1 | 2): void {
    this.code.call(this.acceptFromHost);
    this.code.jumpIf(valueOf(this.accepted), "<", 0, this.quit);
    this.code.set(this.sockets[index], valueOf(this.accepted));
  }

  /** Starts a process that copies `from` to `to`, and closes `unneeded` in it. */
  private startRelay(from: Place, to: Place, unneeded: readonly Place[]): void {
    const { code, result, quit } = this;
    const parent = code.label();
    code.system(Sys.Fork, [], result);
    code.jumpIf(valueOf(result), "<", 0, quit);
    code.jumpIf(valueOf(result), "!=", 0, parent);
    this.close(this.connection, this.streams, ...unneeded);
    code.set(this.from, valueOf(from));
    code.set(this.to, valueOf(to));
    code.jump(this.relay);
    code.put(parent);
  }

  /** Pipes between the sockets and the program: only pipes can be opened again, as `/dev/stderr` is. */
  private makePipes(): void {
    const { code, from, to, standard, sockets } = this;
    const [stdin, stdout, stderr] = standard;
    const [input, output, errors] = sockets;
    code.call(this.openPipe);
    code.set(stdin, valueOf(from));
    this.startRelay(input, to, [stdin, output, errors]);
    this.close(input, to);
    code.call(this.openPipe);
    code.set(stdout, valueOf(to));
    this.startRelay(from, output, [stdin, stdout, errors]);
    this.close(output, from);
    code.call(this.openPipe);
    code.set(stderr, valueOf(to));
    this.startRelay(from, errors, [stdin, stdout, stderr]);
    this.close(errors, from);
  }

  /** `from` and `to` become the two ends of a new pipe. */
  private pipeRoutine(): void {
    const { code, pipe } = this;
    code.put(this.openPipe);
    code.system(Sys.Pipe2, [addressOf(pipe), O_CLOEXEC], this.result);
    code.jumpIf(valueOf(this.result), "<", 0, this.quit);
    code.setToHalf(this.from, pipe, "low");
    code.setToHalf(this.to, pipe, "high");
    code.returnFromCall();
  }

  private makeTerminal(): void {
    const { code, master, standard, sockets, quit } = this;
    const [slave] = standard;
    const [input, output] = sockets;
    const name = code.place(new TextEncoder().encode("/dev/ptmx\0"));
    const unlocked = code.variable();
    code.system(Sys.Open, [addressOf(name), O_RDWR | O_NOCTTY | O_CLOEXEC, 0], master);
    code.jumpIf(valueOf(master), "<", 0, quit);
    code.system(Sys.Ioctl, [valueOf(master), TIOCSPTLCK, addressOf(unlocked)]);
    code.system(Sys.Ioctl, [valueOf(master), TIOCSWINSZ, addressOf(at(this.header, Request.WindowSize))]);
    code.system(Sys.Ioctl, [valueOf(master), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], slave);
    code.jumpIf(valueOf(slave), "<", 0, quit);
    code.set(standard[1], valueOf(slave));
    code.set(standard[2], valueOf(slave));
    this.startRelay(input, master, [slave, output]);
    this.startRelay(master, output, [slave, input]);
    this.close(input, output);
  }

  /** Copies until there is no more, or nobody takes it, and ends the process. */
  private relayRoutine(): void {
    const { code, quit, from, to, result } = this;
    const [loop, rest] = [code.label(), code.label()];
    const [place, left] = [code.variable(), code.variable()];
    code.put(this.relay);
    code.put(loop);
    code.system(Sys.Read, [valueOf(from), addressOf(this.buffer), RELAY_BYTES], left);
    code.jumpIf(valueOf(left), "<=", 0, quit);
    code.set(place, addressOf(this.buffer));
    code.put(rest);
    code.system(Sys.Write, [valueOf(to), valueOf(place), valueOf(left)], result);
    code.jumpIf(valueOf(result), "<=", 0, quit);
    code.add(place, valueOf(result));
    code.subtract(left, valueOf(result));
    code.jumpIf(valueOf(left), ">", 0, rest);
    code.jump(loop);
  }

  /** Waits for the program's end and obeys the host meanwhile. */
  private watch(): void {
    const { code, quit, child, result, connection, standard } = this;
    const [loop, ended, size, hangUp] = [code.label(), code.label(), code.label(), code.label()];
    const process = code.variable();
    const polled = code.reserve(2 * POLL_ENTRY);
    const received = code.reserve(MESSAGE_LENGTH);
    const kind = code.variable();
    const group = code.variable();
    this.close(standard[0], standard[1], standard[2]);
    code.system(Sys.PidfdOpen, [valueOf(child), 0], process);
    code.jumpIf(valueOf(process), "<", 0, quit);
    code.set(group, 0);
    code.subtract(group, valueOf(child));
    // struct pollfd: descriptor, then wanted and reported events of 16 bits each.
    code.setHalves(polled, valueOf(connection), POLLIN);
    code.setHalves(at(polled, POLL_ENTRY), valueOf(process), POLLIN);
    code.put(loop);
    code.system(Sys.Poll, [addressOf(polled), 2, -1]);
    code.setToHalf(this.scratch, at(polled, POLL_ENTRY), "high");
    code.jumpIf(valueOf(this.scratch), "!=", POLLIN, ended);
    code.setToHalf(this.scratch, polled, "high");
    code.jumpIf(valueOf(this.scratch), "=", POLLIN, loop);
    this.receive(received, MESSAGE_LENGTH);
    code.jumpIf(valueOf(result), "!=", MESSAGE_LENGTH, hangUp);
    code.setToHalf(kind, received, "low");
    code.setToHalf(this.scratch, received, "high");
    code.jumpIf(valueOf(kind), "=", Message.WindowSize, size);
    code.system(Sys.Kill, [valueOf(group), valueOf(this.scratch)]);
    code.jump(loop);
    code.put(size);
    const window = code.reserve(WINDOW_SIZE);
    code.set(window, valueOf(this.scratch));
    code.system(Sys.Ioctl, [valueOf(this.master), TIOCSWINSZ, addressOf(window)]);
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
  private resetSignals(): void {
    const { code } = this;
    const loop = code.label();
    const [number, none, byDefault] = [code.variable(), code.variable(), code.reserve(SIGACTION)];
    code.system(Sys.SigProcMask, [SIG_SETMASK, addressOf(none), 0, SIGNAL_SET]);
    code.set(number, 1);
    code.put(loop);
    code.system(Sys.SigAction, [valueOf(number), addressOf(byDefault), 0, SIGNAL_SET]);
    code.add(number, 1);
    code.jumpIf(valueOf(number), "<=", SIGNALS, loop);
  }

  private becomeProgram(): void {
    const { code, standard, result } = this;
    const refused = code.label();
    const [plain, environment] = [code.label(), code.variable()];
    this.resetSignals();
    code.system(Sys.SetSid, []);
    standard.forEach((descriptor, number) => code.system(Sys.Dup2, [valueOf(descriptor), number]));
    code.jumpIf(this.field(Request.Terminal), "=", 0, plain);
    code.system(Sys.Ioctl, [0, TIOCSCTTY, 0]);
    code.put(plain);
    code.system(Sys.SetGroups, [this.field(Request.GroupCount), addressOf(at(this.header, Request.Groups))], result);
    code.jumpIf(valueOf(result), "<", 0, refused);
    code.system(Sys.SetGid, [this.field(Request.Gid)], result);
    code.jumpIf(valueOf(result), "<", 0, refused);
    code.system(Sys.SetUid, [this.field(Request.Uid)], result);
    code.jumpIf(valueOf(result), "<", 0, refused);
    code.set(environment, addressOf(this.blob));
    for (let i = 0; i < 8; i++) code.add(environment, this.field(Request.EnvironmentIndex));
    code.set(this.scratch, addressOf(this.blob));
    code.loadThrough(result, this.scratch);
    code.system(Sys.Execve, [valueOf(result), addressOf(this.blob), valueOf(environment)]);
    code.put(refused);
    this.exit(CANNOT_EXECUTE);
  }
}

/** The guest's end of `isola exec`: a program for 64-bit Linux, of a few KiB. */
export function execAgent(sockets: AgentSockets = VSOCK): Uint8Array {
  const writer = new AgentWriter(sockets);
  writer.write();
  return elfProgram(writer.code);
}
