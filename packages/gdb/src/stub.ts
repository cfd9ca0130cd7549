// SPDX-License-Identifier: Apache-2.0
// GDB's remote serial protocol ("Debugging with GDB", appendix E) on the machine's side: all-stop mode, vCPUs as threads.
import type { DebugEvent, DebugResume, DebugTarget } from "@isola/ports";
import { BAD_REQUEST, OK, RUNNING, UNSUPPORTED } from "./answer.js";
import type { Architecture } from "./architecture.js";
import { bytesOfHex, bytesOfText, hexOf, parseHex, parseSmallHex, textOfBytes } from "./hex.js";
import { MemoryPackets } from "./memory.js";
import { monitorCommand } from "./monitor.js";
import { encodePacket, type Incoming, PacketReader } from "./packet.js";
import { insertPoint, removePoint } from "./points.js";
import { SUPPORTED, threadIds, transfer } from "./queries.js";
import { RegisterFile } from "./registers.js";
import { parseResume, parseThread, type ThreadId } from "./resume.js";
import { stopReply } from "./stop-reply.js";

const CONTINUE: DebugResume = { kind: "continue" };
const STEP: DebugResume = { kind: "step" };
const HOLD: DebugResume = { kind: "hold" };

/** Bytes of text in one packet of a monitor command's output. */
const OUTPUT_PIECE = 4096;
/** Silence instead of an answer: it comes when the machine stops. */
const LATER = null;
type Answer = string | typeof LATER;

export interface StubOptions {
  readonly architecture: Architecture;
  /** Takes what is to be sent. */
  readonly send: (bytes: Uint8Array) => void;
  /** The debugger is done, and what was sent is all. */
  readonly onDone: () => void;
}

/**
 * One debugger's connection to one machine. The machine stops when the stub is made, and goes on when the debugger
 * detaches or its connection ends. Whatever comes over the connection, nothing is thrown.
 */
export class GdbStub {
  private readonly reader = new PacketReader((incoming) => this.take(incoming));
  private readonly registers: RegisterFile;
  private readonly memory: MemoryPackets;
  private acknowledges = true;
  /** Last packet sent, in case it did not arrive. */
  private sent = new Uint8Array();
  /** GDB has let the machine run and waits to hear why it stops. */
  private waiting = false;
  private over = false;
  /** Why the machine stands still. */
  private last: DebugEvent = { kind: "stop", vcpu: 0, stop: { kind: "step" } };
  /** vCPU that registers and memory are those of. */
  private current = 0;
  /** What `c` and `s` are for: Hc. */
  private resumed: ThreadId = "all";
  private known = { swbreak: false, hwbreak: false };

  constructor(
    private readonly target: DebugTarget,
    private readonly options: StubOptions,
  ) {
    this.registers = new RegisterFile(target.machine, options.architecture);
    this.memory = new MemoryPackets(target.machine);
    target.onEvent = (event) => this.stopped(event);
    if (target.state === "running") target.interrupt();
    // To GDB, which did not ask for it, this is no interrupt.
    if (this.last.kind === "paused") this.last = { kind: "stop", vcpu: 0, stop: { kind: "step" } };
  }

  /** Takes bytes from the connection. */
  receive(bytes: Uint8Array): void {
    if (!this.over) this.reader.push(bytes);
  }

  /** The connection has ended. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.target.detach();
  }

  private take(incoming: Incoming): void {
    if (this.over) return;
    switch (incoming.kind) {
      case "packet":
        this.acknowledge("+");
        return this.answer(this.perform(incoming.body));
      case "corrupt":
        return this.acknowledge("-");
      case "too-long":
        this.acknowledge("+");
        return this.answer(BAD_REQUEST);
      case "nak":
        if (this.acknowledges && this.sent.length > 0) this.options.send(this.sent);
        return;
      case "interrupt":
        return this.interrupt();
      case "ack":
        return;
    }
  }

  private acknowledge(sign: "+" | "-"): void {
    if (this.acknowledges) this.options.send(bytesOfText(sign));
  }

  private answer(body: Answer): void {
    if (body === LATER) return;
    this.sent = Uint8Array.from(encodePacket(body));
    this.options.send(this.sent);
  }

  private interrupt(): void {
    if (this.waiting && this.target.state === "ended") this.stopped({ kind: "ended", status: 0 });
    else if (this.waiting) this.target.interrupt();
  }

  private stopped(event: DebugEvent): void {
    if (this.over) return;
    this.last = event;
    if (event.kind === "stop" || event.kind === "triple-fault") this.current = event.vcpu;
    if (!this.waiting) return;
    this.waiting = false;
    this.answer(this.stopReply());
  }

  private stopReply(): string {
    const event = this.target.state === "ended" && this.last.kind !== "ended" ? ENDED : this.last;
    return stopReply(event, this.current, this.registers, this.known);
  }

  private perform(body: string): Answer {
    const rest = body.slice(1);
    const { machine } = this.target;
    switch (body.charAt(0)) {
      case "?":
        return this.stopReply();
      case "g":
        return this.registers.readAll(this.current);
      case "G":
        return this.registers.writeAll(this.current, rest) ? OK : BAD_REQUEST;
      case "p":
        return this.registers.read(this.current, parseSmallHex(rest) ?? -1) ?? BAD_REQUEST;
      case "P": {
        const [number = "", value = ""] = rest.split("=");
        return this.registers.write(this.current, parseSmallHex(number) ?? -1, value) ? OK : BAD_REQUEST;
      }
      case "m":
        return this.memory.read(this.current, rest);
      case "M":
        return this.memory.write(this.current, rest);
      case "x":
        return this.memory.readBinary(this.current, rest);
      case "X":
        return this.memory.writeBinary(this.current, rest);
      case "Z":
        return insertPoint(machine, rest);
      case "z":
        return removePoint(machine, rest);
      case "c":
      case "s":
        return this.resumeAt(rest, body.startsWith("s") ? STEP : CONTINUE);
      case "C":
      case "S":
        // With a signal, which means nothing to a machine: Csig;address.
        return this.resumeAt(rest.split(";")[1] ?? "", body.startsWith("S") ? STEP : CONTINUE);
      case "H":
        return this.selectThread(rest);
      case "T":
        return parseThread(rest, machine.vcpus) === null ? BAD_REQUEST : OK;
      case "D":
        return this.leave();
      case "k":
        this.kill();
        return LATER;
      case "v":
        return this.performVerbose(body);
      case "q":
        return this.query(rest);
      case "Q":
        return this.set(rest);
      default:
        return UNSUPPORTED;
    }
  }

  private performVerbose(body: string): Answer {
    if (body === "vCont?") return "vCont;c;C;s;S;t;r";
    if (body.startsWith("vCont;")) {
      const plan = parseResume(body, this.target.machine.vcpus);
      return plan === null ? BAD_REQUEST : this.resume(plan);
    }
    if (body.startsWith("vKill")) {
      this.answer(OK);
      this.kill();
      return LATER;
    }
    if (body === "vCtrlC") {
      this.answer(OK);
      this.interrupt();
      return LATER;
    }
    return UNSUPPORTED;
  }

  /** What follows `q`. */
  private query(text: string): Answer {
    const { machine } = this.target;
    const [name = ""] = text.split(/[:,;]/);
    switch (name) {
      case "Supported": {
        const features = text.split(/[:;]/);
        this.known = { swbreak: features.includes("swbreak+"), hwbreak: features.includes("hwbreak+") };
        return SUPPORTED;
      }
      case "Xfer":
        return transfer(machine, this.options.architecture, text.slice("Xfer:".length)) ?? UNSUPPORTED;
      case "C":
        return `QC${(this.current + 1).toString(16)}`;
      case "fThreadInfo":
        return threadIds(machine);
      case "sThreadInfo":
        return "l";
      case "ThreadExtraInfo": {
        const id = parseThread(text.split(",")[1] ?? "", machine.vcpus);
        return typeof id === "number" ? hexOf(bytesOfText(`vCPU ${id}: ${machine.vcpuState(id)}`)) : BAD_REQUEST;
      }
      case "Attached":
        return "1";
      case "Symbol":
        return OK;
      case "Rcmd":
        return this.monitor(text.slice("Rcmd,".length));
      case "qemu.PhyMemMode":
        return this.memory.physical ? "1" : "0";
      default:
        return UNSUPPORTED;
    }
  }

  /** What follows `Q`. */
  private set(text: string): Answer {
    switch (text) {
      case "StartNoAckMode":
        this.acknowledges = false;
        return OK;
      case "NonStop:0":
        return OK;
      case "qemu.PhyMemMode:0":
      case "qemu.PhyMemMode:1":
        this.memory.physical = text.endsWith("1");
        return OK;
      default:
        return UNSUPPORTED;
    }
  }

  private monitor(digits: string): Answer {
    const command = bytesOfHex(digits);
    if (command === null) return BAD_REQUEST;
    const output = monitorCommand(this.target, this.current, textOfBytes(command));
    for (let at = 0; at < output.length; at += OUTPUT_PIECE)
      this.answer(`O${hexOf(bytesOfText(output.slice(at, at + OUTPUT_PIECE)))}`);
    return OK;
  }

  private selectThread(text: string): Answer {
    const id = parseThread(text.slice(1), this.target.machine.vcpus);
    if (id === null) return BAD_REQUEST;
    if (text.startsWith("g") && typeof id === "number") this.current = id;
    else if (text.startsWith("c")) this.resumed = id;
    else if (!text.startsWith("g")) return BAD_REQUEST;
    return OK;
  }

  private resumeAt(address: string, resume: DebugResume): Answer {
    const { vcpus } = this.target.machine;
    const chosen = this.resumed === "any" ? this.current : this.resumed;
    if (address !== "") {
      const value = parseHex(address);
      const number = this.registers.numberOf("rip");
      if (value === null || !this.writeNumber(number, value)) return BAD_REQUEST;
    }
    // A step is for one vCPU, and the others run meanwhile.
    const others = this.resumed === "all" ? CONTINUE : HOLD;
    const stepped = chosen === "all" ? this.current : chosen;
    return this.resume(
      Array.from({ length: vcpus }, (_, i) =>
        i === stepped || (chosen === "all" && resume === CONTINUE) ? resume : others,
      ),
    );
  }

  private writeNumber(number: number, value: bigint): boolean {
    const digits = (this.registers.read(this.current, number) ?? "").length;
    const bytes = Uint8Array.from({ length: digits / 2 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    return this.registers.write(this.current, number, hexOf(bytes));
  }

  private resume(plan: readonly DebugResume[]): Answer {
    if (this.target.state === "ended") return this.stopReply();
    if (this.target.state === "running") return RUNNING;
    this.waiting = true;
    this.target.resume(plan);
    return LATER;
  }

  private leave(): Answer {
    this.answer(OK);
    this.close();
    this.options.onDone();
    return LATER;
  }

  private kill(): void {
    this.waiting = false;
    this.over = true;
    this.target.kill();
    this.target.detach();
    this.options.onDone();
  }
}

const ENDED: DebugEvent = { kind: "ended", status: 0 };
