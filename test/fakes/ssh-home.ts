import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SshServer } from "./ssh-server.ts";

/** A home folder whose owner may log in to a server; gives the variables for a program that is to do so. */
export function sshHome(home: string, server: SshServer): Readonly<Record<string, string>> {
  mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  writeFileSync(
    join(home, ".ssh/config"),
    `Host 127.0.0.1\n  IdentityFile ${server.identity}\n  UserKnownHostsFile ${server.knownHosts}\n`,
    { mode: 0o600 },
  );
  return { HOME: home, OMNI_KNOWN_HOSTS: server.knownHosts, SSH_AUTH_SOCK: "" };
}
