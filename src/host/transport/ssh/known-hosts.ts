import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { matchesAny } from "./host-pattern.ts";

/** A line of a known_hosts file that speaks of a host. */
export interface KnownKey {
  readonly marker?: "cert-authority" | "revoked";
  /** `ssh-ed25519`. */
  readonly type: string;
  readonly key: Buffer;
  /** `~/.ssh/known_hosts:12`. */
  readonly place: string;
}

/** The system's file, which `ssh` reads besides the user's. */
const SYSTEM_FILE = "/etc/ssh/ssh_known_hosts";

/** Files with keys of hosts: the one that is given, else OMNI_KNOWN_HOSTS, else the user's and the system's. */
export function knownHostsFiles(given: string | undefined): readonly [string, ...string[]] {
  const named = given ?? process.env["OMNI_KNOWN_HOSTS"] ?? "";
  return named === "" ? [join(homedir(), ".ssh/known_hosts"), SYSTEM_FILE] : [named];
}

/** The name under which a host stands in such a file: with its port where that is not 22 (sshd(8), known_hosts). */
export const knownName = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;

/** All keys of a host in the files; a file that does not exist has none. */
export const knownKeys = (files: readonly string[], host: string, port: number): readonly KnownKey[] =>
  files.flatMap((file) =>
    linesOf(file).flatMap((line, index) => keyOf(line, knownName(host, port), `${file}:${index + 1}`)),
  );

/** As `ssh-keygen -l` prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** The type that a public key of the SSH protocol begins with (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.subarray(4, 4 + Math.min(length, 64)).toString("latin1");
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

function keyOf(line: string, name: string, place: string): KnownKey[] {
  const words = line.trim().split(/\s+/);
  if (line.trim() === "" || line.trim().startsWith("#")) return [];
  const marker = /^@(cert-authority|revoked)$/.exec(words[0] ?? "")?.[1];
  const [names = "", type = "", key = ""] = marker === undefined ? words : words.slice(1);
  // A marker that nobody knows makes no key known.
  if (names.startsWith("@") || key === "" || !isNamed(names, name)) return [];
  return [
    {
      type,
      key: Buffer.from(key, "base64"),
      place,
      ...(marker === "revoked" || marker === "cert-authority" ? { marker } : {}),
    },
  ];
}

/** `|1|SALT|HASH` hides a name by HMAC-SHA1; everything else is a list of patterns. */
function isNamed(names: string, name: string): boolean {
  if (!names.startsWith("|")) return matchesAny(names.split(","), name);
  const [, version, salt = "", hash = ""] = names.split("|");
  const expected = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return version === "1" && expected.length === actual.length && timingSafeEqual(expected, actual);
}
