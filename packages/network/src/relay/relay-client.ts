// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type {
  Endpoint,
  HostNetwork,
  Listener,
  Resolver,
  TcpConnection,
  TcpEvents,
  UdpEvents,
  UdpSocket,
} from "@isola/ports";
import { Ask, FAILURES, FrameReader, FrameWriter, MAX_DATA, NO_FAILURE, RELAY_VERSION, Tell } from "./frames.js";

/** Datagrams larger than this exist nowhere. */
const MAX_DATAGRAM = 65_535;

interface Question {
  readonly resolve: (texts: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

const noRelay = (): OperatorError => new OperatorError("relay-lost", "the connection to the network relay is lost");

/** A connection whose socket is the relay's. */
class RelayedConnection implements TcpConnection {
  unsent = 0;
  private paused = false;
  private untold = 0;
  private over = false;

  constructor(
    private readonly id: number,
    readonly events: TcpEvents,
    private readonly client: RelayClient,
  ) {}

  write(bytes: Uint8Array): void {
    if (this.over) return;
    this.unsent += bytes.length;
    for (let at = 0; at < bytes.length; at += MAX_DATA) {
      const piece = bytes.subarray(at, at + MAX_DATA);
      this.client.send(new FrameWriter(Ask.Data, this.id, piece.length).data(piece));
    }
  }

  end(): void {
    if (!this.over) this.client.send(new FrameWriter(Ask.End, this.id));
  }

  pause(): void {
    this.paused = true;
  }

  /** The relay sends only so much that nobody has taken; so it stops by itself while this is paused. */
  resume(): void {
    this.paused = false;
    this.tellTaken();
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    this.client.forget(this.id);
    this.client.send(new FrameWriter(Ask.Abort, this.id));
  }

  received(bytes: Uint8Array): void {
    this.events.data(bytes);
    this.untold += bytes.length;
    if (!this.paused) this.tellTaken();
  }

  taken(bytes: number): void {
    this.unsent = Math.max(0, this.unsent - bytes);
    this.events.drained();
  }

  closed(failure: (typeof FAILURES)[number] | null): void {
    if (this.over) return;
    this.over = true;
    this.events.closed(failure);
  }

  private tellTaken(): void {
    if (this.untold === 0 || this.over) return;
    this.client.send(new FrameWriter(Ask.Taken, this.id).u32(this.untold));
    this.untold = 0;
  }
}

/**
 * The sockets of another host, reached over a channel of messages to a relay there. While there is no channel nothing can
 * be reached; when it breaks, all connections are reset. Ports of the other host cannot be opened.
 */
export class RelayClient implements HostNetwork {
  private channel: ((message: Uint8Array<ArrayBuffer>) => void) | null = null;
  private ready = false;
  private nextId = 0;
  private servers: readonly Endpoint[] = [];
  private readonly connections = new Map<number, RelayedConnection>();
  private readonly udp = new Map<number, UdpEvents>();
  private readonly questions = new Map<number, Question>();

  /**
   * @param soon calls a task once, after what runs now
   * @param onReady called each time that a relay has answered
   */
  constructor(
    private readonly soon: (task: () => void) => void,
    private readonly onReady: () => void = () => {},
  ) {}

  readonly resolver: Resolver = {
    addresses: (name) => this.ask(Ask.Addresses, name),
    names: (address) => this.ask(Ask.Names, address),
    servers: () => this.servers,
  };

  /** A channel stands; `send` takes messages for the relay. */
  open(send: (message: Uint8Array<ArrayBuffer>) => void): void {
    this.channel = send;
  }

  /** The channel is gone. */
  lost(): void {
    this.channel = null;
    this.ready = false;
    const { connections, udp, questions } = this;
    const ended = [...connections.values()];
    const failed = [...udp.values()];
    const unanswered = [...questions.values()];
    connections.clear();
    udp.clear();
    questions.clear();
    for (const connection of ended) connection.closed("reset");
    for (const events of failed) events.failed();
    for (const question of unanswered) question.reject(noRelay());
  }

  /** Takes a message from the relay. False if it makes no sense: the channel is of no more use. */
  receive(message: Uint8Array): boolean {
    const frame = new FrameReader(message);
    if (frame.kind === Tell.Hello) return this.hello(frame);
    const connection = this.connections.get(frame.id);
    switch (frame.kind) {
      case Tell.Connected:
        connection?.events.connected();
        break;
      case Tell.Data:
        connection?.received(frame.rest());
        break;
      case Tell.Ended:
        connection?.events.ended();
        break;
      case Tell.Taken:
        connection?.taken(frame.u32());
        break;
      case Tell.Closed: {
        this.connections.delete(frame.id);
        const failure = frame.u8();
        connection?.closed(failure === NO_FAILURE ? null : (FAILURES[failure] ?? "failed"));
        break;
      }
      case Tell.Datagram: {
        const from = frame.endpoint();
        this.udp.get(frame.id)?.datagram(frame.rest().slice(), from);
        break;
      }
      case Tell.UdpFailed:
        this.failUdp(frame.id);
        break;
      case Tell.Answer:
      case Tell.NoAnswer:
        this.answer(frame);
        break;
      default:
        return false;
    }
    return !frame.short;
  }

  connect(to: Endpoint, events: TcpEvents): TcpConnection {
    const id = this.nextId++;
    const connection = new RelayedConnection(id, events, this);
    if (!this.ready) {
      this.soon(() => connection.closed("unreachable"));
      return connection;
    }
    this.connections.set(id, connection);
    this.send(new FrameWriter(Ask.Connect, id).endpoint(to));
    return connection;
  }

  listen(): Promise<Listener> {
    return Promise.reject(new OperatorError("no-listening", "a network relay opens no ports of its host"));
  }

  bindUdp(): Promise<UdpSocket> {
    return this.listen() as Promise<never>;
  }

  openUdp(family: 4 | 6, events: UdpEvents): UdpSocket {
    const id = this.nextId++;
    if (this.ready) {
      this.udp.set(id, events);
      this.send(new FrameWriter(Ask.OpenUdp, id).u8(family));
    } else this.soon(() => events.failed());
    return {
      send: (bytes, to) => {
        if (this.udp.has(id) && bytes.length <= MAX_DATAGRAM)
          this.send(new FrameWriter(Ask.Send, id, 64 + bytes.length).endpoint(to).data(bytes));
      },
      close: () => {
        if (this.udp.delete(id)) this.send(new FrameWriter(Ask.CloseUdp, id));
      },
    };
  }

  /** For connections. */
  send(frame: FrameWriter): void {
    this.channel?.(frame.finish());
  }

  /** For connections: nothing more is heard of this one. */
  forget(id: number): void {
    this.connections.delete(id);
  }

  private hello(frame: FrameReader): boolean {
    if (frame.u8() !== RELAY_VERSION) return false;
    const servers: Endpoint[] = [];
    while (frame.more) servers.push(frame.endpoint());
    this.servers = servers;
    this.ready = !frame.short;
    if (this.ready) this.onReady();
    return this.ready;
  }

  private ask(kind: Ask.Addresses | Ask.Names, text: string): Promise<readonly string[]> {
    if (!this.ready) return Promise.reject(noRelay());
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.questions.set(id, { resolve, reject });
      this.send(new FrameWriter(kind, id).text(text));
    });
  }

  private answer(frame: FrameReader): void {
    const question = this.questions.get(frame.id);
    this.questions.delete(frame.id);
    if (frame.kind === Tell.NoAnswer)
      return question?.reject(new OperatorError("no-resolver", "the relay's host could not ask for the name"));
    const texts: string[] = [];
    while (frame.more && !frame.short) texts.push(frame.text());
    question?.resolve(texts);
  }

  private failUdp(id: number): void {
    const events = this.udp.get(id);
    this.udp.delete(id);
    events?.failed();
  }
}
