import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/** What a registry is told about who asks. Never part of a message. */
export type Credentials =
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

const AUTH_FILE = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        registrytoken: z.string().optional(),
      }),
    )
    .optional(),
});
type Auths = NonNullable<z.infer<typeof AUTH_FILE>["auths"]>;

/**
 * The credentials that Docker's or Podman's own files hold for a registry: the text in DOCKER_AUTH_CONFIG, the file of
 * REGISTRY_AUTH_FILE, DOCKER_CONFIG/config.json, ~/.docker/config.json; the first that knows the registry. Helpers are
 * programs and are not run. A file that is missing or broken counts as empty.
 */
export async function findCredentials(
  registry: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  const folder = environment["DOCKER_CONFIG"] ?? join(environment["HOME"] ?? homedir(), ".docker");
  const files = [environment["REGISTRY_AUTH_FILE"] ?? "", join(folder, "config.json")];
  const texts = [
    environment["DOCKER_AUTH_CONFIG"],
    ...(await Promise.all(files.filter((file) => file !== "").map(readText))),
  ];
  for (const text of texts) {
    const found = text === undefined ? undefined : fromAuths(parseAuths(text), registry);
    if (found !== undefined) return found;
  }
  return undefined;
}

const readText = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined);

function parseAuths(text: string): Auths {
  try {
    return AUTH_FILE.parse(JSON.parse(text)).auths ?? {};
  } catch {
    return {};
  }
}

function fromAuths(auths: Auths, registry: string): Credentials | undefined {
  const wanted =
    registry === "docker.io" ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [registry];
  for (const [key, entry] of Object.entries(auths)) {
    if (!wanted.includes(hostOf(key))) continue;
    if (entry.registrytoken !== undefined) return { kind: "token", token: entry.registrytoken };
    const decoded = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    const user = entry.username ?? (colon > 0 ? decoded.slice(0, colon) : undefined);
    const password = entry.password ?? (colon > 0 ? decoded.slice(colon + 1) : undefined);
    if (user !== undefined && password !== undefined) return { kind: "basic", user, password };
  }
  return undefined;
}

/** Docker's files hold `https://index.docker.io/v1/` as well as bare names. */
const hostOf = (key: string): string => key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
