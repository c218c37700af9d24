/**
 * A host behind a real SSH server whose commands see a folder of a test as /etc: each runs in a mount namespace of its own,
 * which ends with it. This machine's own /etc is never touched.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noSshServer, startSshServer } from "./ssh-server.ts";
import type { SshServer } from "./ssh-server.ts";

/** Why there can be no such host here; `undefined` when there can. */
export function noHostBehindMounts(): string | undefined {
  const missing = noSshServer();
  if (missing !== undefined) return missing;
  const mounted = spawnSync("unshare", ["--mount", "mount", "--bind", tmpdir(), tmpdir()]);
  return mounted.status === 0 ? undefined : "nothing can be mounted here";
}

/** A resource for `await using`. */
export interface HostBehindMounts extends AsyncDisposable {
  readonly server: SshServer;
  /** What its commands see as /etc. */
  readonly etc: string;
  /** Puts a program before those of the machine. */
  program(name: string, script: string): void;
}

export async function startHostBehindMounts(): Promise<HostBehindMounts> {
  const folder = mkdtempSync(join(tmpdir(), "omni-mounts-"));
  const [etc, programs, enter] = [join(folder, "etc"), join(folder, "bin"), join(folder, "enter")];
  for (const path of [etc, programs]) mkdirSync(path);
  writeFileSync(enter, `mount --bind ${etc} /etc && exec sh -c "$SSH_ORIGINAL_COMMAND"\n`);
  const server = await startSshServer({ programs, config: [`ForceCommand unshare --mount sh ${enter}`] });
  return {
    server,
    etc,
    program: (name, script) => {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
