import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { registryOf } from "./image-error.ts";

/** What Docker takes as `X-Registry-Auth`. Never part of a message. */
export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

const entry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const configFile = z.object({
  auths: z.record(z.string(), entry).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});
const helperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** Docker Hub is written like this in Docker's own files. */
const HUB = "https://index.docker.io/v1/";

/**
 * The login that Docker's client would use for an image: helper of the registry, the store, then the file's own entries
 * (DOCKER_CONFIG or `~/.docker/config.json`). `undefined` when there is none or the file is broken.
 */
export async function registryLogin(
  image: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RegistryLogin | undefined> {
  const registry = registryOf(image);
  const serveraddress = registry === "docker.io" ? HUB : registry;
  const folder = environment["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const config = parseConfig(await readFile(join(folder, "config.json"), "utf8").catch(() => "{}"));
  if (config === undefined) return undefined;
  const helper = config.credHelpers[registry] ?? config.credsStore;
  const helped = helper === undefined ? undefined : await askHelper(helper, serveraddress, environment);
  if (helped !== undefined) return helped;
  const found = Object.entries(config.auths).find(([key]) => hostOf(key) === hostOf(serveraddress))?.[1];
  if (found === undefined) return undefined;
  const decoded = Buffer.from(found.auth ?? "", "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = found.username ?? (colon > 0 ? decoded.slice(0, colon) : undefined);
  const password = found.password ?? (colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, "") : undefined);
  if (found.identitytoken !== undefined)
    return {
      serveraddress,
      identitytoken: found.identitytoken,
      ...(username === undefined ? {} : { username }),
    };
  return username === undefined || password === undefined ? undefined : { serveraddress, username, password };
}

function parseConfig(text: string): z.infer<typeof configFile> | undefined {
  try {
    return configFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** `docker-credential-NAME get` with the server on its standard input; a helper that fails knows nothing. */
function askHelper(
  name: string,
  serveraddress: string,
  environment: NodeJS.ProcessEnv,
): Promise<RegistryLogin | undefined> {
  // A name, not a path: the file must not choose any program.
  if (!/^[\w.-]+$/.test(name)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const options = { env: environment, timeout: 10_000, maxBuffer: 2 ** 20 };
    const child = execFile(`docker-credential-${name}`, ["get"], options, (error, stdout) => {
      const answer = error === null ? readAnswer(stdout) : undefined;
      if (answer === undefined) return resolve(undefined);
      const { Username: username, Secret: secret } = answer;
      if (username === "<token>") resolve({ serveraddress, identitytoken: secret });
      else resolve({ serveraddress, username, password: secret });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(serveraddress);
  });
}

function readAnswer(text: string): z.infer<typeof helperAnswer> | undefined {
  try {
    return helperAnswer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const hostOf = (key: string): string =>
  key
    .replace(/^https?:\/\//, "")
    .replace(/\/.*$/, "")
    .replace(/^registry-1\./, "index.");
