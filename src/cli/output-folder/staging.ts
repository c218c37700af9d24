import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { OmniError } from "../../core/index.ts";
import { processIdentity } from "../../runtimes/process-identity.ts";

/**
 * Folder in which a run puts files aside before it gives them their names; left over only when it was killed. Its name
 * tells whose it is, so that making it is taking the output folder at the same moment.
 */
const STAGING = /^\.omni-staging-(?<pid>[0-9]+)-(?<life>[0-9a-f]{8})-[A-Za-z0-9]{6}$/;

/** Names of all staging folders below an output folder; none where it does not exist. */
export const stagingFolders = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => STAGING.test(name));

/**
 * Makes this run's staging folder and names those that killed runs left. Throws `OmniError` `render.busy` while another
 * run of this machine lives; of two that begin at the same moment both may be told so.
 */
export async function claimStaging(
  folder: string,
): Promise<{ readonly staging: string; readonly leftOver: readonly string[] }> {
  const life = lifeOf(await processIdentity(process.pid));
  const staging = await mkdtemp(join(folder, `.omni-staging-${process.pid}-${life}-`));
  const others = (await stagingFolders(folder)).filter((name) => name !== basename(staging));
  for (const name of others) {
    const pid = await livingOwner(name);
    if (pid === undefined) continue;
    await rm(staging, { recursive: true });
    throw new OmniError("render.busy", `Another run (PID ${pid}) is writing to ${folder}.`);
  }
  return { staging, leftOver: others };
}

/** The process that a staging folder belongs to, while it lives; a later process of the same number is another. */
async function livingOwner(name: string): Promise<number | undefined> {
  const { pid, life } = STAGING.exec(name)?.groups ?? {};
  const identity = await processIdentity(Number(pid));
  return identity !== undefined && lifeOf(identity) === life ? Number(pid) : undefined;
}

const lifeOf = (identity = ""): string => createHash("sha256").update(identity).digest("hex").slice(0, 8);
