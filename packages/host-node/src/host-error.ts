// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

const REASONS: { readonly [code: string]: string } = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
  EMFILE: "too many files are open",
  EIO: "the disk reports an error",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
};

/** Whether `error` comes from the system with that code. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

/** One line about a failed system call: what was tried, on which path, and why it failed. */
export function fileError(what: string, path: string, error: unknown): OperatorError {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? "";
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new OperatorError("file-error", `cannot ${what} ${path}: ${reason}`, { cause: error });
}

/** What `operation` with the file `path` gives. Throws the OperatorError of {@link fileError} if it fails. */
export function orFileError<T>(what: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw fileError(what, path, error);
  }
}
