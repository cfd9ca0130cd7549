#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The `isola` command: makes sure that the bundle exists, then becomes it under the project's own runtime.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { become, installDependencies, root, runtime } from "./bootstrap.mjs";

const bundle = join(root, "build", "isola.mjs");
if (!existsSync(bundle)) {
  installDependencies();
  const built = spawnSync(runtime(), [join(root, "tools", "run.mjs"), "build"], { stdio: ["ignore", 2, 2] });
  if (built.status !== 0) process.exit(1);
}
become(bundle, process.argv.slice(2));
