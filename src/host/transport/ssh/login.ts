import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AnyAuthMethod } from "ssh2";
import { messageOf } from "../../../core/index.ts";
import type { SshDestination } from "./destination.ts";

/** Private keys that `ssh` tries by itself, in its order. */
const USUAL = ["id_ed25519", "id_ecdsa", "id_rsa"] as const;

export interface LoginOptions {
  /** Private key file; replaces those of the configuration and the usual ones. */
  readonly identity?: string;
  /** A password by secret, asked for at the moment of use. */
  readonly password?: () => Promise<string>;
}

/** Ways to log in, in the order in which they are tried. */
export interface Login {
  readonly methods: readonly AnyAuthMethod[];
  /** What could not be used and why, a sentence each. */
  readonly problems: readonly string[];
}

type ParseKey = (data: Buffer) => unknown;

/**
 * The agent first, then the keys, then a password. With a key that was named for this host, that one comes first, because
 * a server hears a few tries only. Throws what `password` throws.
 */
export async function loginTo(
  { user, identities }: SshDestination,
  options: LoginOptions,
  parseKey: ParseKey,
): Promise<Login> {
  const problems: string[] = [];
  const named = options.identity === undefined ? identities : [options.identity];
  const files = named.length > 0 ? named : USUAL.map((name) => join(homedir(), ".ssh", name));
  const keys = files.flatMap((file): AnyAuthMethod[] => {
    if (named.length === 0 && !existsSync(file)) return [];
    const key = readKey(file, parseKey);
    if (typeof key === "string") problems.push(key);
    return typeof key === "string" ? [] : [{ type: "publickey", username: user, key }];
  });
  const socket = process.env["SSH_AUTH_SOCK"] ?? "";
  const agent: AnyAuthMethod[] =
    socket !== "" && existsSync(socket) ? [{ type: "agent", username: user, agent: socket }] : [];
  const byKey = named.length > 0 ? [...keys, ...agent] : [...agent, ...keys];
  const password: AnyAuthMethod[] =
    options.password === undefined
      ? []
      : [{ type: "password", username: user, password: await options.password() }];
  return { methods: [...byKey, ...password], problems };
}

function readKey(file: string, parseKey: ParseKey): Buffer | string {
  try {
    const data = readFileSync(file);
    const parsed = parseKey(data);
    if (!(parsed instanceof Error)) return data;
    return /passphrase|encrypted/i.test(parsed.message)
      ? `${file} is protected by a passphrase: add it to the agent with ssh-add ${file}`
      : `${file} is no private key that can be read: ${parsed.message}`;
  } catch (thrown) {
    return `${file} cannot be read: ${messageOf(thrown)}`;
  }
}
