// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { RangeResponse, RangeTransport } from "@isola/ports";

const FIRST_PAUSE_MS = 200;

/** The range in `Content-Range: bytes FIRST-LAST/SIZE` (RFC 9110, section 14.4). */
const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/;

/** Another try may help. */
class PassingFailure extends Error {}

/** Reads parts of a file on a web server and notices when it changes. */
export class RangeClient {
  private size = -1;
  /** What tells this version of the file from others: a strong ETag, or the time of the last change. */
  private version: string | null = null;

  constructor(
    private readonly transport: RangeTransport,
    private readonly attempts: number,
  ) {}

  /** The address without name and password, for messages. */
  get name(): string {
    return this.transport.name;
  }

  /** Size of the file in bytes. */
  async open(): Promise<number> {
    await this.read(0, 1);
    return this.size;
  }

  /** Reads `length` bytes from `offset` on, with as many tries as it takes. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.request(offset, length);
      } catch (error) {
        if (error instanceof OperatorError || this.transport.closed) throw error;
        if (attempt >= this.attempts)
          throw new OperatorError("http-error", `cannot read ${this.name}: ${reasonOf(error)}`, { cause: error });
        await this.transport.pause(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      }
    }
  }

  /** Gives up what is under way. */
  close(): void {
    this.transport.close();
  }

  private async request(offset: number, length: number): Promise<Uint8Array> {
    const { version } = this;
    const response = await this.transport.request(offset, length, version?.startsWith('"') === true ? version : null);
    try {
      this.checkResponse(response, offset, length);
    } catch (error) {
      await response.cancel().catch(() => {});
      throw error;
    }
    const body = new Uint8Array(length);
    let done = 0;
    for await (const chunk of response.body) {
      if (done + chunk.length > length) throw new PassingFailure("the server sent more than was asked for");
      body.set(chunk, done);
      done += chunk.length;
    }
    if (done !== length) throw new PassingFailure(`the server sent ${done} of ${length} bytes`);
    return body;
  }

  /** Throws PassingFailure or OperatorError unless this is the part that was asked for, of the same file as before. */
  private checkResponse(response: RangeResponse, offset: number, length: number): void {
    const { status } = response;
    if (status === 412) throw this.changed();
    if (status === 200 && this.version !== null) throw this.changed();
    if (status === 200)
      throw new OperatorError(
        "http-ranges",
        `the server of ${this.name} sends whole files only (no range requests); download the image first`,
      );
    if (status === 416) {
      if (this.size >= 0) throw this.changed();
      throw new OperatorError("http-error", `${this.name} is empty, or its server refuses ranges`);
    }
    if (status === 408 || status === 429 || status >= 500) throw new PassingFailure(`the server answers ${status}`);
    if (status !== 206) throw new OperatorError("http-error", `cannot read ${this.name}: the server answers ${status}`);
    const match = CONTENT_RANGE.exec(response.header("content-range") ?? "");
    if (match === null || response.header("content-encoding") !== null)
      throw new OperatorError("http-ranges", `the server of ${this.name} does not say which range it sends`);
    const size = Number(match[3]);
    const etag = response.header("etag");
    const version = etag?.startsWith('"') === true ? etag : (response.header("last-modified") ?? "");
    if (this.size < 0) {
      this.size = size;
      this.version = version;
    }
    if (size !== this.size || version !== this.version) throw this.changed();
    if (Number(match[1]) !== offset || Number(match[2]) !== offset + length - 1)
      throw new PassingFailure("the server sent another range than was asked for");
  }

  private changed(): OperatorError {
    return new OperatorError(
      "http-changed",
      `${this.name} has changed on the server while it was in use; start again with the new one`,
    );
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "the server does not answer in time";
  return error.cause instanceof Error ? error.cause.message : error.message;
}
