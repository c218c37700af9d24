import { userInfo } from "node:os";
import { OmniError } from "../../../core/index.ts";
import { sshConfigOf } from "./ssh-config.ts";

/** Where an SSH server is and who logs in there. */
export interface SshDestination {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Private keys that the configuration names for this host; the usual ones when empty. */
  readonly identities: readonly string[];
}

/**
 * Reads `user@host[:port]`, also as `ssh://…` and with an IPv6 address in brackets, and completes it by ~/.ssh/config:
 * HostName, Port, User and IdentityFile. Throws `OmniError` `host.unreachable` for what is none, and for a host that the
 * configuration reaches through another one.
 */
export function sshDestination(text: string, configFile?: string): SshDestination {
  const match = /^(?:ssh:\/\/)?(?:([^@/\s]+)@)?(\[[\da-f:.]+\]|[^@:/\s[\]]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  const name = match?.[2]?.replace(/^\[(.*)\]$/, "$1") ?? "";
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (name === "" || name.startsWith("-") || port === 0 || (port ?? 0) > 65_535)
    throw new OmniError("host.unreachable", `${text} is no address of an SSH server.`, {
      hint: "As root@192.168.3.10 or root@192.168.3.10:2222.",
    });
  const config = sshConfigOf(name, configFile);
  if (config.through !== undefined)
    throw new OmniError(
      "host.unreachable",
      `The SSH configuration reaches ${name} by ${config.through}, and Omni does not go through other hosts.`,
      {
        hint: "Run Omni on a machine that reaches the host directly, or forward a port to it and name that.",
      },
    );
  return {
    user: match?.[1] ?? config.user ?? userInfo().username,
    host: config.hostName ?? name,
    port: port ?? config.port ?? 22,
    identities: config.identities,
  };
}
