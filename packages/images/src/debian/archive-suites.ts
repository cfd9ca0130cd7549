// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { AptSource } from "./apt-sources.js";

/** One suite of one archive, with what is needed to trust it. */
export interface ArchiveSuite {
  /** Base URL without a slash at its end. */
  readonly archive: string;
  readonly suite: string;
  readonly component: string;
  /** Key ring file or armored key block. */
  readonly keyring: string;
  readonly trusted: boolean;
  /** A guess of ours: it may be missing. */
  readonly optional: boolean;
}

export interface SuiteRequest {
  /** The wanted suites, the main one first, e.g. `bookworm`, `bookworm-updates`, `bookworm-security`. */
  readonly suites: readonly string[];
  readonly component: string;
  /** A mirror that the operator named for this call or by ISOLA_DEBIAN_MIRROR; overrides the apt configuration. */
  readonly mirror?: string;
  readonly securityMirror?: string;
  readonly keyring: string;
  readonly aptSources: readonly AptSource[];
}

/** Debian keeps security updates in an archive of their own beside the main one. */
function securityBeside(archive: string): string | undefined {
  return archive.endsWith("/debian") ? `${archive}-security` : undefined;
}

function usable(source: AptSource, component: string): boolean {
  return /^https?:\/\//.test(source.uri) && source.components.includes(component);
}

/**
 * Decides where each suite comes from: the mirror that the operator named, else the system's apt sources that list it,
 * else, on a system of another release, the apt source that serves a Debian archive. Only the first suite must exist.
 */
export function locateSuites(request: SuiteRequest): ArchiveSuite[] {
  const { suites, component, keyring } = request;
  const [main] = suites;
  const security = (suite: string): boolean => suite.endsWith("-security");
  const guess = (archive: string, securityArchive: string | undefined): ArchiveSuite[] =>
    suites.flatMap((suite) => {
      const from = security(suite) ? securityArchive : archive;
      const optional = suite !== main && !(security(suite) && request.securityMirror !== undefined);
      return from === undefined ? [] : [{ archive: from, suite, component, keyring, trusted: false, optional }];
    });

  if (request.mirror !== undefined) {
    const archive = request.mirror.replace(/\/+$/, "");
    if (!/^https?:\/\/[^/]/.test(archive)) {
      throw new OperatorError(
        "MIRROR_INVALID",
        `${request.mirror} is no http or https address: correct ISOLA_DEBIAN_MIRROR`,
      );
    }
    return guess(archive, request.securityMirror?.replace(/\/+$/, "") ?? securityBeside(archive));
  }
  const listed = suites.flatMap((suite) => {
    const source = request.aptSources.find((item) => usable(item, component) && item.suites.includes(suite));
    if (!source) return [];
    return [
      {
        archive: source.uri,
        suite,
        component,
        keyring: source.signedBy ?? keyring,
        trusted: source.trusted,
        optional: false,
      },
    ];
  });
  if (listed.some(({ suite }) => suite === main)) return listed;
  const debian = request.aptSources.find((item) => usable(item, component) && item.uri.endsWith("/debian"));
  if (!debian) {
    throw new OperatorError(
      "MIRROR_NOT_CONFIGURED",
      `no Debian mirror for ${main}: set ISOLA_DEBIAN_MIRROR to the base address of a Debian archive`,
    );
  }
  return guess(debian.uri, securityBeside(debian.uri));
}
