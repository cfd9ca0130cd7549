// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "@isola/base";

/** What became of a signature check; `unverified` says in one line why nobody could check. */
export type SignatureResult =
  | { readonly state: "verified"; readonly signer: string }
  | { readonly state: "unverified"; readonly reason: string };

/** Status lines and exit of gpgv(1); undefined when there is no such program. */
function runGpgv(keyring: string, file: string, signal?: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile(
      "gpgv",
      ["--status-fd", "1", "--keyring", keyring, file],
      { ...(signal ? { signal } : {}), maxBuffer: 1 << 20, env: { ...process.env, LC_ALL: "C" } },
      (error, stdout) => {
        if (error && "code" in error && error.code === "ENOENT") resolve(undefined);
        else if (error?.name === "AbortError") reject(error);
        else resolve(stdout);
      },
    );
  });
}

/** ASCII armor (RFC 9580, section 6) taken off; gpgv reads binary keyrings only. */
function dearmored(key: Uint8Array): Uint8Array {
  const text = Buffer.from(key).toString("latin1").replaceAll("\r\n", "\n");
  const match = /-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[^\n]+: [^\n]*\n)*\n([^]*?)(?:\n=[^\n]{4})?\n-----END/.exec(
    text,
  );
  return match ? Buffer.from(match[1], "base64") : key;
}

/**
 * Checks the clear-signed `message` against the key ring file `keyring`, or an armored key block given as text. A bad
 * signature, or one by none of the keys, is an OperatorError; a missing ring or a missing gpgv program is told.
 */
export async function verifyClearSigned(
  message: Uint8Array,
  keyring: string,
  url: string,
  signal?: AbortSignal,
): Promise<SignatureResult> {
  let key: Uint8Array;
  const block = keyring.startsWith("-----BEGIN");
  if (block) key = Buffer.from(keyring, "latin1");
  else {
    try {
      key = await readFile(keyring);
    } catch {
      return { state: "unverified", reason: `no key ring ${keyring}` };
    }
  }
  const scratch = await mkdtemp(join(tmpdir(), "isola-gpgv-"));
  try {
    const ring = join(scratch, "ring.gpg");
    const file = join(scratch, "message");
    await writeFile(ring, dearmored(key));
    await writeFile(file, message);
    const status = await runGpgv(ring, file, signal);
    if (status === undefined) return { state: "unverified", reason: "no gpgv program on this system" };
    // Debian signs with several keys; one that the ring knows is enough, and none may be bad.
    const good = /^\[GNUPG:\] GOODSIG [0-9A-F]+ (.*)$/m.exec(status);
    if (!good || /^\[GNUPG:\] BADSIG /m.test(status)) {
      throw new OperatorError(
        "SIGNATURE_INVALID",
        `${url} is not signed by a key of ${block ? "Signed-By" : keyring}: do not trust this mirror`,
      );
    }
    return { state: "verified", signer: good[1] };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
