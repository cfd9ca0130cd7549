// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { writeFully } from "./file-io.js";
import { TranslationLog } from "./translation-log.js";

const SUFFIX = ".translations";
const DIGEST_SIZE = 32;
/** Bytes that are read at a time to check a file. */
const READ_SIZE = 1 << 20;

/**
 * A file with compiled guest code. It holds a digest over the version of the program and the code, so that what another
 * version has written, or what is damaged, counts as not being there. Whatever goes wrong with it costs time only, so
 * nothing is ever thrown.
 */
export class TranslationFile {
  constructor(
    private readonly path: string,
    /** Equal for programs that generate equal code. */
    private readonly version: string,
  ) {}

  /** The file that belongs to something with a name, in a directory of such files. */
  static inDirectory(directory: string, name: string, version: string): TranslationFile {
    const digest = createHash("sha256").update(name).digest("hex").slice(0, 32);
    return new TranslationFile(join(directory, `${digest}${SUFFIX}`), version);
  }

  /** A log that begins with the code of this version, if there is some. */
  open(): TranslationLog {
    const saved = this.openSaved();
    return new TranslationLog(saved, DIGEST_SIZE, () => {
      mkdirSync(dirname(this.path), { recursive: true });
      const path = `${this.path}.${process.pid}.new`;
      const file = openSync(path, "wx+", 0o600);
      remove(path);
      return file;
    });
  }

  /** Opens the file; null unless it is whole and of this version. */
  private openSaved(): number | null {
    try {
      const file = openSync(this.path, "r");
      try {
        if (this.isGood(file)) {
          const now = new Date();
          utimesSync(this.path, now, now);
          return file;
        }
      } catch {
        // A disk that fails, or a directory.
      }
      closeSync(file);
    } catch {
      // There is none.
    }
    return null;
  }

  private isGood(file: number): boolean {
    const hash = this.hash();
    const digest = Buffer.alloc(DIGEST_SIZE);
    const buffer = Buffer.allocUnsafe(READ_SIZE);
    let at = readSync(file, digest, 0, DIGEST_SIZE, 0);
    for (;;) {
      const count = readSync(file, buffer, 0, READ_SIZE, at);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      at += count;
    }
    return hash.digest().equals(digest);
  }

  /** Replaces the code, which comes in pieces. Readers see either all of the old or all of the new. */
  write(pieces: Iterable<Uint8Array>): void {
    const draft = `${this.path}.${process.pid}`;
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      // Others must not learn or choose what the guests of this user execute.
      const file = openSync(draft, "w", 0o600);
      try {
        const hash = this.hash();
        let at = DIGEST_SIZE;
        for (const piece of pieces) {
          hash.update(piece);
          writeFully(file, at, piece);
          at += piece.length;
        }
        writeFully(file, 0, hash.digest());
      } finally {
        closeSync(file);
      }
      renameSync(draft, this.path);
    } catch {
      remove(draft);
    }
  }

  /** Removes the files of the directory that have not been used for longest, until the others fit `maxBytes`. */
  tidy(maxBytes: number): void {
    const directory = dirname(this.path);
    try {
      const files = readdirSync(directory)
        .filter((name) => name.includes(SUFFIX) && name !== basename(this.path))
        .map((name) => ({ path: join(directory, name), ...sizeAndTime(join(directory, name)) }))
        .sort((a, b) => b.time - a.time);
      let left = maxBytes;
      for (const { path, size } of files) {
        left -= size;
        if (left < 0) remove(path);
      }
    } catch {
      // The directory is gone, and all files with it.
    }
  }

  private hash(): Hash {
    return createHash("sha256").update(this.version).update("\0");
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is where nothing can be written; nothing was.
  }
}

function sizeAndTime(path: string): { size: number; time: number } {
  const { size, mtimeMs } = statSync(path);
  return { size, time: mtimeMs };
}
