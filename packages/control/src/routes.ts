// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from "node:stream";
import { OperatorError } from "@isola/base";
import { encodePng } from "@isola/host-node";
import type { ControlTarget } from "./control-target.js";
import { InputPacer } from "./input-pacer.js";
import { type MachineSummary, parseAction, parseInput, RequestError } from "./messages.js";

/** What goes back to whoever asked. */
export interface Reply {
  readonly status: number;
  /** Media type. */
  readonly type: string;
  readonly body: Buffer;
}

const PREFIX = "/v1/machine";
const VSOCK = /^\/v1\/machine\/vsock\/(\d{1,10})$/;
const MAX_PORT = 0xffff_fffe;

function json(value: unknown): Reply {
  return { status: 200, type: "application/json", body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

/** The path without a query, of which there is none here. */
function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

function displayOff(): OperatorError {
  return new OperatorError("display-off", "the machine has no display, or it is switched off");
}

function noRoute(method: string, path: string): OperatorError {
  return new OperatorError("no-such-route", `there is no ${method} ${path}`);
}

/** What can be asked of a machine over its control socket. */
export class Routes {
  private readonly input: InputPacer;

  constructor(
    private readonly target: ControlTarget,
    private readonly name: string,
  ) {
    this.input = new InputPacer(target.vm);
  }

  /** @throws OperatorError if the request makes no sense or cannot be met now */
  async answer(method: string, url: string, body: unknown): Promise<Reply> {
    const path = pathOf(url);
    switch (`${method} ${path}`) {
      case `GET ${PREFIX}`:
        return json(this.summary());
      case `POST ${PREFIX}/action`:
        this.target.vm.perform({ type: parseAction(body) });
        return json(this.summary());
      case `POST ${PREFIX}/input`:
        await this.input.play(parseInput(body));
        return json(this.summary());
      case `GET ${PREFIX}/statistics`:
        return json(this.target.vm.statistics());
      case `GET ${PREFIX}/screen`:
        return this.screen();
      case `GET ${PREFIX}/screen-text`:
        return this.screenText();
      default:
        throw noRoute(method, path);
    }
  }

  /** What attaches a stream to the thing that `url` names. @throws OperatorError if there is no such thing */
  async stream(url: string): Promise<(stream: Duplex) => void> {
    const path = pathOf(url);
    if (path === `${PREFIX}/console`) return (stream) => this.target.streams.attachConsole(stream);
    const port = VSOCK.exec(path)?.[1];
    if (port === undefined) throw noRoute("stream", path);
    if (Number(port) > MAX_PORT) throw new RequestError(`a vsock port is a number up to ${MAX_PORT}`);
    return this.target.streams.dialVsock(Number(port));
  }

  private summary(): MachineSummary {
    return { name: this.name, pid: process.pid, state: this.target.vm.state, ...this.target.description };
  }

  private screen(): Reply {
    const picture = this.target.vm.screen();
    if (picture === null) throw displayOff();
    return { status: 200, type: "image/png", body: Buffer.from(encodePng(picture)) };
  }

  private screenText(): Reply {
    const lines = this.target.vm.screenText();
    if (lines === null) throw displayOff();
    return { status: 200, type: "text/plain; charset=utf-8", body: Buffer.from(`${lines.join("\n")}\n`) };
  }
}
