import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { parseJson } from "./hugging-face/model-json.ts";
import { hubGet } from "./hub-request.ts";
import type { HubAnswer } from "./hub-request.ts";

export interface HubRepository {
  /** `owner/repository`. */
  readonly repo: string;
  /** Commit, tag or branch; `main` when absent. */
  readonly revision?: string | undefined;
  /**
   * Access token; when absent HF_TOKEN of the environment or the token file of the Hugging Face tools, and then only for
   * the environment's own endpoint.
   */
  readonly token?: string | undefined;
  /** HF_ENDPOINT of the environment, or https://huggingface.co, when absent. */
  readonly endpoint?: string | undefined;
}

/** A checksum as hubs state it: SHA-256 of large files, the name that git gives a blob for all others. */
export interface HubDigest {
  readonly algorithm: "sha256" | "git-sha1";
  /** Lower-case hexadecimal. */
  readonly hex: string;
}

export interface HubFile {
  readonly path: string;
  /** Bytes; 0 where the hub does not say. */
  readonly size: number;
  readonly digest?: HubDigest;
}

/** What a hub says of a repository at a revision, and how its files are asked for. */
export interface HubListing {
  readonly repo: string;
  readonly revision: string;
  /** What the revision meant at that moment; the revision itself where the hub does not say. */
  readonly commit: string;
  readonly endpoint: URL;
  /** For the endpoint alone, never for where it redirects to. */
  readonly headers: Readonly<Record<string, string>>;
  readonly files: readonly HubFile[];
}

const DEFAULT_ENDPOINT = "https://huggingface.co";
const hexadecimal = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digits}}$`))
    .optional()
    .catch(undefined);
const LISTING = z.object({
  sha: z
    .string()
    .regex(/^[0-9a-f]{6,64}$/)
    .optional()
    .catch(undefined),
  siblings: z
    .array(
      z.object({
        rfilename: z
          .string()
          .max(1024)
          .regex(/^\P{C}+$/u),
        size: z.int().min(0).optional(),
        blobId: hexadecimal(40),
        lfs: z
          .object({ sha256: hexadecimal(64), size: z.int().min(0).optional() })
          .optional()
          .catch(undefined),
      }),
    )
    .max(200_000)
    .default([]),
});
type Sibling = z.infer<typeof LISTING>["siblings"][number];

/**
 * Lists a repository's files at a revision, and the commit that it meant at that moment. Throws `OmniError`
 * `hub.unreachable`, `hub.not-found` or `hub.denied`. Source: https://huggingface.co/docs/hub/api,
 * `GET /api/models/{repo}/revision/{revision}?blobs=true`.
 */
export async function listHub(repository: HubRepository): Promise<HubListing> {
  const { repo, revision = "main" } = repository;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repo) || repo.includes(".."))
    throw new OmniError(
      "hub.not-found",
      `${JSON.stringify(repo.slice(0, 200))} is no name of a repository.`,
      {
        hint: "Write it as hf:OWNER/REPOSITORY.",
      },
    );
  const { endpoint, headers } = access(repository);
  const path = `api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const answer = await hubGet(new URL(path, endpoint), headers);
  if (answer.status !== 200) throw refusal(answer, repository, endpoint);
  const listing = listingOf(answer, repo, endpoint);
  return {
    repo,
    revision,
    commit: listing.sha ?? revision,
    endpoint,
    headers,
    files: listing.siblings.map(fileOf),
  };
}

/** Large files are stored by LFS or Xet, whose listing carries their own size and SHA-256; git knows only their pointer. */
function fileOf({ rfilename, size, blobId, lfs }: Sibling): HubFile {
  const digest: HubDigest | undefined =
    lfs?.sha256 !== undefined
      ? { algorithm: "sha256", hex: lfs.sha256 }
      : lfs === undefined && blobId !== undefined
        ? { algorithm: "git-sha1", hex: blobId }
        : undefined;
  return { path: rfilename, size: lfs?.size ?? size ?? 0, ...(digest === undefined ? {} : { digest }) };
}

/** The address at which a hub gives a file, or redirects to where it lies. */
export function resolveUrl({ endpoint, repo, commit }: HubListing, path: string): URL {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new URL(`${repo}/resolve/${encodeURIComponent(commit)}/${encoded}`, endpoint);
}

/** Networks answer with pages of their own, which are no listing of a hub. */
function listingOf(answer: HubAnswer, repo: string, endpoint: URL): z.infer<typeof LISTING> {
  try {
    return LISTING.parse(parseJson(answer.body, repo));
  } catch (thrown) {
    throw new OmniError(
      "hub.unreachable",
      `${endpoint.host} answers something that is no listing of ${repo}.`,
      {
        hint: "Check the endpoint; a proxy or a login page may answer in its place.",
        cause: thrown,
      },
    );
  }
}

/** The endpoint and what is sent to it. A token of the environment belongs to the environment's endpoint and no other. */
function access({ token, endpoint }: HubRepository): { endpoint: URL; headers: Record<string, string> } {
  const usual = parseEndpoint(process.env["HF_ENDPOINT"] ?? DEFAULT_ENDPOINT);
  const chosen = endpoint === undefined ? usual : parseEndpoint(endpoint);
  const known = chosen.origin === usual.origin ? usualToken() : undefined;
  const secret = (token ?? known ?? "").trim();
  if (!/^[\u{21}-\u{7e}]*$/u.test(secret))
    throw new OmniError("hub.denied", "The access token of the hub holds characters that no token has.", {
      hint: "Copy it again, without quotes and line breaks.",
    });
  return { endpoint: chosen, headers: secret === "" ? {} : { authorization: `Bearer ${secret}` } };
}

/** Where the Hugging Face tools keep what they know: HF_HOME, or their folder below the user's cache. */
export const huggingFaceHome = (): string =>
  process.env["HF_HOME"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "huggingface");

/** HF_TOKEN, also an empty one, or what `hf auth login` has written. Source: huggingface_hub, utils/_auth.py. */
function usualToken(): string | undefined {
  const set = process.env["HF_TOKEN"];
  if (set !== undefined) return set;
  try {
    return readFileSync(process.env["HF_TOKEN_PATH"] ?? join(huggingFaceHome(), "token"), "utf8");
  } catch {
    // Most people have none, and public repositories need none.
    return undefined;
  }
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new OmniError(
      "hub.unreachable",
      "The hub's endpoint is no http or https URL without credentials.",
      {
        hint: "Write HF_ENDPOINT or endpoint: as https://huggingface.co, and give the token apart.",
      },
    );
  url.pathname = url.pathname.replace(/\/*$/, "/");
  return url;
}

function refusal(answer: HubAnswer, { repo, revision = "main" }: HubRepository, endpoint: URL): OmniError {
  const { status, errorCode } = answer;
  const said = `${endpoint.host} answers ${status}${errorCode === undefined ? "" : ` (${errorCode.slice(0, 60)})`}`;
  if (errorCode === "GatedRepo" || status === 403)
    return new OmniError("hub.denied", `${said} for ${repo}: its owner lets only some people in.`, {
      hint: `Accept its terms at ${new URL(repo, endpoint).href}, and set HF_TOKEN to a token of that account.`,
    });
  if (errorCode === "RevisionNotFound")
    return new OmniError("hub.not-found", `${said}: ${repo} has no revision ${JSON.stringify(revision)}.`);
  // The hub does not tell strangers whether a private repository exists.
  if (status === 401)
    return new OmniError("hub.denied", `${said} for ${repo}: it is private or does not exist.`, {
      hint: "Check the name, and set HF_TOKEN to a token that may read it.",
    });
  if (status === 404 || status === 410)
    return new OmniError(
      "hub.not-found",
      `${said}: no repository ${repo} at revision ${JSON.stringify(revision)}.`,
    );
  return new OmniError("hub.unreachable", `${said} for ${repo}.`);
}
