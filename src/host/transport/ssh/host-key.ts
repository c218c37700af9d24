import type { ServerHostKeyAlgorithm } from "ssh2";
import { OmniError } from "../../../core/index.ts";
import { shellCommand, shellWord } from "../../../render/escape/shell.ts";
import type { SshDestination } from "./destination.ts";
import { fingerprint, keyType, knownHostsFiles, knownKeys, knownName } from "./known-hosts.ts";

/** Newer ones first; signatures by SHA-1 are not among them. */
const ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

const typeOf = (algorithm: string): string => (algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);

/** Algorithms to offer, those of known keys first: a host with several keys then shows one that can be compared. */
export function hostKeyAlgorithms(
  { host, port }: SshDestination,
  knownHosts: string | undefined,
): ServerHostKeyAlgorithm[] {
  const types = new Set(knownKeys(knownHostsFiles(knownHosts), host, port).map(({ type }) => type));
  const known = ALGORITHMS.filter((algorithm) => types.has(typeOf(algorithm)));
  return [...known, ...ALGORITHMS.filter((algorithm) => !known.includes(algorithm))];
}

/**
 * Compares the key that a host shows with those that are known. Returns what stands against it: `host.key-changed` where
 * another one is known or this one was revoked, `host.key-unknown` where none is; nothing where it is the known one.
 */
export function hostKeyFault(
  destination: SshDestination,
  knownHosts: string | undefined,
  shown: Buffer,
): OmniError | undefined {
  const { host, port } = destination;
  const files = knownHostsFiles(knownHosts);
  const name = knownName(host, port);
  const keys = knownKeys(files, host, port);
  const revoked = keys.find(({ marker, key }) => marker === "revoked" && key.equals(shown));
  const seen = `${keyType(shown)} ${fingerprint(shown)}`;
  if (revoked !== undefined)
    return new OmniError("host.key-changed", `${name} shows ${seen}, which is revoked (${revoked.place}).`, {
      hint: "Do not log in. Whoever revoked the key knows why.",
    });
  const plain = keys.filter(({ marker }) => marker === undefined);
  if (plain.some(({ key }) => key.equals(shown))) return undefined;
  const [known] = plain;
  if (known !== undefined)
    return new OmniError(
      "host.key-changed",
      `${name} shows ${seen}; known is ${known.type} ${fingerprint(known.key)} (${known.place}).`,
      {
        hint: `If the host was installed anew: ${shellCommand(["ssh-keygen", "-f", files[0], "-R", name])}, then add the new key. Otherwise somebody stands in between.`,
      },
    );
  const line = shellWord(`${name} ${keyType(shown)} ${shown.toString("base64")}`);
  const authority = keys.find(({ marker }) => marker === "cert-authority");
  const certified =
    authority === undefined
      ? ""
      : ` ${authority.place} trusts its certificate authority, whose certificates Omni cannot check.`;
  return new OmniError("host.key-unknown", `${name} shows ${seen}, and no key of it is known.${certified}`, {
    hint: `Compare the fingerprint on the host's own console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: echo ${line} >> ${shellWord(files[0])}`,
  });
}
