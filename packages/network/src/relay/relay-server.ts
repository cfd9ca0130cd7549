// SPDX-License-Identifier: Apache-2.0
import type { Endpoint, HostNetwork, TcpConnection, UdpSocket } from "@isola/ports";
import { parseIp } from "../ip/address.js";
import type { EgressPolicy, EgressProtocol } from "../user/egress-policy.js";
import {
  Ask,
  FAILURES,
  FrameReader,
  FrameWriter,
  MAX_DATA,
  NO_FAILURE,
  RELAY_VERSION,
  Tell,
  WINDOW,
} from "./frames.js";

/** Most of each that a client may have at a time; more are refused. */
const MAX_CONNECTIONS = 1024;
const MAX_UDP = 512;
const MAX_QUESTIONS = 64;
/** A client that is this many bytes behind gets no datagrams. */
const MAX_BACKLOG = 8 << 20;
/** How long what the resolver said counts for rules with names, in ns. */
const TOLD_FOR = 60e9;
const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];

export interface RelayOptions {
  readonly host: HostNetwork;
  readonly policy: EgressPolicy;
  /** Whether clients may reach the host's own loopback interface. */
  readonly hostLoopback: boolean;
  /** Sends a message to the client. */
  readonly send: (message: Uint8Array<ArrayBuffer>) => void;
  /** Bytes sent that have not left yet. */
  readonly backlog: () => number;
}

interface Connection {
  readonly socket: TcpConnection;
  /** Bytes sent to the client that it has not taken. */
  untaken: number;
  paused: boolean;
  /** Bytes written that the system had not taken when it was last looked. */
  unsent: number;
}

/** The end of a relay that has the sockets: does for one client what its frames ask, as far as the policy lets it. */
export class RelayServer {
  private readonly connections = new Map<number, Connection>();
  private readonly udp = new Map<number, UdpSocket>();
  private questions = 0;
  private closed = false;

  constructor(private readonly options: RelayOptions) {
    const hello = new FrameWriter(Tell.Hello, 0).u8(RELAY_VERSION);
    for (const server of options.host.resolver.servers()) hello.endpoint(server);
    this.send(hello);
  }

  /** Takes a message. False if it makes no sense, or asks for too much: the client is to be sent away. */
  receive(message: Uint8Array): boolean {
    const frame = new FrameReader(message);
    if (frame.short || this.closed) return false;
    const sense = this.perform(frame);
    return sense && !frame.short;
  }

  /** Ends all that the client has. */
  close(): void {
    this.closed = true;
    for (const { socket } of this.connections.values()) socket.abort();
    for (const socket of this.udp.values()) socket.close();
    this.connections.clear();
    this.udp.clear();
  }

  private perform(frame: FrameReader): boolean {
    const { id } = frame;
    const connection = this.connections.get(id);
    switch (frame.kind) {
      case Ask.Connect:
        return this.connect(id, frame.endpoint(), frame.short);
      case Ask.Data: {
        const data = frame.rest();
        if (data.length > MAX_DATA) return false;
        if (connection === undefined) return true;
        // A socket that takes nothing makes its client stop; one that does not is no client of ours.
        if (connection.unsent + data.length > 4 * WINDOW) return false;
        connection.unsent += data.length;
        connection.socket.write(data.slice());
        return true;
      }
      case Ask.End:
        connection?.socket.end();
        return true;
      case Ask.Abort:
        this.connections.delete(id);
        connection?.socket.abort();
        return true;
      case Ask.Taken:
        this.taken(connection, frame.u32());
        return true;
      case Ask.OpenUdp:
        return this.openUdp(id, frame.u8());
      case Ask.Send: {
        const to = frame.endpoint();
        if (this.mayReach("udp", to)) this.udp.get(id)?.send(frame.rest(), to);
        return true;
      }
      case Ask.CloseUdp:
        this.udp.get(id)?.close();
        this.udp.delete(id);
        return true;
      case Ask.Addresses:
      case Ask.Names:
        void this.answer(id, frame.kind, frame.text());
        return true;
      default:
        return false;
    }
  }

  /** A name in place of an address would be looked up by the host, past the policy: it is not reached. */
  private mayReach(protocol: EgressProtocol, { address, port }: Endpoint): boolean {
    const { policy, hostLoopback } = this.options;
    const ip = parseIp(address);
    if (ip === null || port === 0) return false;
    return (hostLoopback && LOOPBACK.includes(address)) || policy.allows(protocol, ip, port);
  }

  private connect(id: number, to: Endpoint, short: boolean): boolean {
    if (short || this.connections.has(id)) return false;
    if (this.connections.size >= MAX_CONNECTIONS || !this.mayReach("tcp", to)) {
      this.send(new FrameWriter(Tell.Closed, id).u8(FAILURES.indexOf("unreachable")));
      return true;
    }
    const tell = (frame: FrameWriter): void => {
      if (this.connections.has(id)) this.send(frame);
    };
    const socket = this.options.host.connect(to, {
      connected: () => tell(new FrameWriter(Tell.Connected, id)),
      data: (bytes) => this.forward(id, bytes),
      ended: () => tell(new FrameWriter(Tell.Ended, id)),
      drained: () => this.drained(id),
      closed: (failure) => {
        tell(new FrameWriter(Tell.Closed, id).u8(failure === null ? NO_FAILURE : FAILURES.indexOf(failure)));
        this.connections.delete(id);
      },
    });
    this.connections.set(id, { socket, untaken: 0, paused: false, unsent: 0 });
    return true;
  }

  private forward(id: number, bytes: Uint8Array): void {
    const connection = this.connections.get(id);
    if (connection === undefined) return;
    for (let at = 0; at < bytes.length; at += MAX_DATA) {
      const piece = bytes.subarray(at, at + MAX_DATA);
      this.send(new FrameWriter(Tell.Data, id, piece.length).data(piece));
    }
    connection.untaken += bytes.length;
    if (connection.untaken < WINDOW || connection.paused) return;
    connection.paused = true;
    connection.socket.pause();
  }

  private taken(connection: Connection | undefined, bytes: number): void {
    if (connection === undefined) return;
    connection.untaken = Math.max(0, connection.untaken - bytes);
    if (!connection.paused || connection.untaken >= WINDOW / 2) return;
    connection.paused = false;
    connection.socket.resume();
  }

  private drained(id: number): void {
    const connection = this.connections.get(id);
    if (connection === undefined) return;
    const taken = connection.unsent - connection.socket.unsent;
    if (taken <= 0) return;
    connection.unsent -= taken;
    this.send(new FrameWriter(Tell.Taken, id).u32(taken));
  }

  private openUdp(id: number, family: number): boolean {
    if ((family !== 4 && family !== 6) || this.udp.has(id)) return false;
    const failed = (): void => {
      this.udp.delete(id);
      if (!this.closed) this.send(new FrameWriter(Tell.UdpFailed, id));
    };
    if (this.udp.size >= MAX_UDP) {
      failed();
      return true;
    }
    const socket = this.options.host.openUdp(family, {
      datagram: (bytes, from) => {
        if (!this.udp.has(id) || this.options.backlog() > MAX_BACKLOG) return;
        this.send(new FrameWriter(Tell.Datagram, id, 64 + bytes.length).endpoint(from).data(bytes));
      },
      failed,
    });
    this.udp.set(id, socket);
    return true;
  }

  private async answer(id: number, kind: Ask.Addresses | Ask.Names, text: string): Promise<void> {
    const { policy } = this.options;
    let texts: readonly string[] | null = null;
    if (kind === Ask.Addresses && !policy.allowsName(text)) texts = [];
    else if (this.questions < MAX_QUESTIONS) texts = await this.resolve(kind, text);
    if (this.closed) return;
    if (texts === null) return this.send(new FrameWriter(Tell.NoAnswer, id));
    if (kind === Ask.Addresses)
      policy.told(
        text,
        texts.map((one) => parseIp(one)).filter((ip) => ip !== null),
        TOLD_FOR,
      );
    const frame = new FrameWriter(Tell.Answer, id);
    for (const one of texts) frame.text(one);
    this.send(frame);
  }

  private async resolve(kind: Ask.Addresses | Ask.Names, text: string): Promise<readonly string[] | null> {
    const { resolver } = this.options.host;
    this.questions++;
    try {
      return await (kind === Ask.Addresses ? resolver.addresses(text) : resolver.names(text));
    } catch {
      return null;
    } finally {
      this.questions--;
    }
  }

  private send(frame: FrameWriter): void {
    this.options.send(frame.finish());
  }
}
