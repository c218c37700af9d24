import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { matchesAny } from "./host-pattern.ts";

/** What ~/.ssh/config says about a host, as far as Omni follows it. */
export interface SshConfig {
  readonly hostName?: string;
  readonly port?: number;
  readonly user?: string;
  readonly identities: readonly string[];
  /** `ProxyJump bastion`: how the host is reached, where it is not reached directly. */
  readonly through?: string;
}

/**
 * The settings of `Host` sections that match, the first of each as in ssh_config(5). `Match` sections and included files
 * are not looked at. Nothing where there is no such file.
 */
export function sshConfigOf(host: string, file = join(homedir(), ".ssh/config")): SshConfig {
  const found = new Map<string, string[]>();
  let applies = true;
  for (const [keyword, value] of settings(file)) {
    if (keyword === "host") applies = matchesAny(value.split(/\s+/), host);
    else if (keyword === "match") applies = false;
    else if (applies) found.set(keyword, [...(found.get(keyword) ?? []), value]);
  }
  const first = (keyword: string): string | undefined => found.get(keyword)?.[0];
  const port = Number(first("port"));
  const through = (["ProxyJump", "ProxyCommand"] as const)
    .map((keyword) => [keyword, first(keyword.toLowerCase()) ?? "none"] as const)
    .find(([, value]) => value.toLowerCase() !== "none");
  const hostName = first("hostname")?.replaceAll("%h", host);
  const user = first("user");
  return {
    ...(hostName === undefined ? {} : { hostName }),
    ...(port > 0 ? { port } : {}),
    ...(user === undefined ? {} : { user }),
    identities: (found.get("identityfile") ?? []).map((path) => path.replace(/^(?:~|%d)(?=\/)/, homedir())),
    ...(through === undefined ? {} : { through: through.join(" ") }),
  };
}

/** Keyword in small letters and its value without quotes, line by line. */
function settings(file: string): (readonly [string, string])[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const match = /^\s*([a-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/i.exec(line);
    if (match === null) return [];
    return [[(match[1] ?? "").toLowerCase(), (match[2] ?? "").replace(/^"(.*)"$/, "$1")] as const];
  });
}
