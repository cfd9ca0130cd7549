// SPDX-License-Identifier: Apache-2.0

/** A web server's answer to a request for a part of a file. */
export interface RangeResponse {
  readonly status: number;
  /** A header by its name in lower case; null if it is not there. */
  header(name: string): string | null;
  /** Pieces of the body, in order; each is good until the next is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Wants no more of the body. */
  cancel(): Promise<void>;
}

/** Asks a web server for parts of one file. */
export interface RangeTransport {
  /** The file's address without name and password, for messages. */
  readonly name: string;
  /**
   * Sends `GET` with `Range: bytes=offset-…` for `length` bytes. Rejects if no answer comes, which another try may mend.
   * @param ifMatch value for `If-Match`, or null
   */
  request(offset: number, length: number, ifMatch: string | null): Promise<RangeResponse>;
  /** Resolves after `delay` ms; rejects when closed. */
  pause(delay: number): Promise<void>;
  /** Whether {@link close} was called: what fails then is not tried again. */
  readonly closed: boolean;
  /** Gives up what is under way. */
  close(): void;
}
