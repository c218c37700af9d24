import { hash, randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

const grantSchema = z.object({
  server: z.string(),
  /** Address of the MCP server; tokens go to its origin alone. */
  url: z.url(),
  issuer: z.string().min(1),
  /** What the token is for, as the server calls itself (RFC 8707). */
  resource: z.string(),
  /** Scopes that were asked for, with spaces between. */
  scope: z.string().optional(),
  /** Milliseconds since the epoch. */
  obtained: z.number(),
  client: z.object({ id: z.string(), secret: z.string().optional() }),
  tokens: z
    .object({
      access: z.string(),
      refresh: z.string().optional(),
      /** Milliseconds since the epoch; unknown when absent. */
      expires: z.number().optional(),
    })
    .optional(),
});

/** What a node has of one authorization server for one MCP server. Without tokens, it says which issuer its secret is for. */
export type Grant = z.infer<typeof grantSchema>;
export type GrantTokens = NonNullable<Grant["tokens"]>;

/** Logins to MCP servers, by server and issuer: what one issuer gave is never shown to another. */
export interface TokenStore {
  /** The last login to a server, whoever issued it; `undefined` for one at another origin than `url`. */
  latest(server: string, url: string): Promise<Grant | undefined>;
  /** Keeps this one in place of what there was of its server and issuer, whole or not at all. */
  write(grant: Grant): Promise<void>;
  forget(server: string, issuer: string): Promise<void>;
  /** Forgets what there is of a server but for this issuer. */
  forgetOthers(server: string, issuer: string): Promise<void>;
}

/** Milliseconds after which a file that somebody wrote aside is a dead process's. */
const ABANDONED = 60_000;

/**
 * Logins as files of a state folder, for this user alone (0700, 0600): one a server and issuer, replaced whole, so that any
 * number of processes may write at once. What cannot be read counts as absent: logging in anew mends it.
 */
export function openTokenStore(stateFolder: string): TokenStore {
  const folder = join(stateFolder, "mcp-tokens");
  return {
    async latest(server, url) {
      const grants = await Promise.all(
        (await namesOf(folder, server)).map((name) => read(join(folder, name))),
      );
      const { origin } = new URL(url);
      return grants
        .filter((grant) => grant !== undefined)
        .filter((grant) => grant.server === server && new URL(grant.url).origin === origin)
        .toSorted((one, other) => other.obtained - one.obtained)[0];
    },
    async write(grant) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
      await sweep(folder);
      const path = join(folder, fileOf(grant.server, grant.issuer));
      await replace(path, `${JSON.stringify(grant, undefined, 2)}\n`);
    },
    async forget(server, issuer) {
      await rm(join(folder, fileOf(server, issuer)), { force: true });
    },
    async forgetOthers(server, issuer) {
      const kept = fileOf(server, issuer);
      const others = (await namesOf(folder, server)).filter((name) => name !== kept);
      await Promise.all(others.map((name) => rm(join(folder, name), { force: true })));
    },
  };
}

/** `SERVER.HASH.json`: names of servers hold no dot, and issuers are addresses. */
const fileOf = (server: string, issuer: string): string =>
  `${server}.${hash("sha256", issuer, "hex").slice(0, 24)}.json`;

async function namesOf(folder: string, server: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.startsWith(`${server}.`) && name.endsWith(".json"));
}

async function read(path: string): Promise<Grant | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
    return grantSchema.safeParse(parsed).data;
  } catch {
    return undefined;
  }
}

async function replace(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.aside`;
  try {
    const handle = await open(aside, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (thrown) {
    await rm(aside, { force: true });
    throw thrown;
  }
}

/** Takes away what processes left that died while they wrote: it holds tokens. */
async function sweep(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.endsWith(".aside"));
  await Promise.all(
    left.map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED) await rm(path, { force: true });
    }),
  );
}
