// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { ArchiveError } from "./archive/byte-source.js";

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Turns a failed system call on the host into the one-line error that an operator can act on; `where` is the directory
 * or file at fault. Anything else comes back as it is.
 */
export function hostError(error: unknown, where: string): unknown {
  if (error instanceof OperatorError) return error;
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new OperatorError("DISK_FULL", `no space left for ${where}: free some, or set ISOLA_CACHE_DIR`, {
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
      return new OperatorError("CACHE_UNUSABLE", `cannot write ${where} (${errorCode(error)}): set ISOLA_CACHE_DIR`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** Names the file whose bytes do not follow their format. Anything else comes back as it is. */
export function archiveFailure(error: unknown, file: string): unknown {
  if (!(error instanceof ArchiveError)) return error;
  const message = `${file}: ${error.message}; remove it from the cache and pull again`;
  return new OperatorError("PACKAGE_DAMAGED", message, { cause: error });
}
