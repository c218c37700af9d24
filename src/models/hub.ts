import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { openUrl } from "./byte-source.ts";
import { ggufShape } from "./gguf/gguf-shape.ts";
import { ShardIntake } from "./gguf/shards.ts";
import { readGgufHeaderFrom } from "./gguf-header.ts";
import { readHuggingFaceShape } from "./hugging-face/hugging-face-shape.ts";
import { readEach } from "./hugging-face/model-files.ts";
import type { ModelFiles } from "./hugging-face/model-files.ts";
import { parseJson } from "./hugging-face/model-json.ts";
import { hubGet } from "./hub-request.ts";
import type { HubAnswer } from "./hub-request.ts";
import type { ModelShape } from "./model-shape.ts";
import { pickGguf } from "./pick-gguf.ts";
import type { GgufChoice } from "./pick-gguf.ts";
import { findTensorScheme } from "./tensor-schemes.ts";

export interface HubRepository {
  /** `owner/repository`. */
  readonly repo: string;
  /** Commit, tag or branch; `main` when absent. */
  readonly revision?: string | undefined;
  /** Access token; HF_TOKEN of the environment when absent, and then only for the environment's own endpoint. */
  readonly token?: string | undefined;
  /** HF_ENDPOINT of the environment, or https://huggingface.co, when absent. */
  readonly endpoint?: string | undefined;
}

const DEFAULT_ENDPOINT = "https://huggingface.co";
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
      }),
    )
    .max(200_000)
    .default([]),
});

/**
 * The shape of a model on a hub, from the headers of its files alone: of a repository of GGUF files the one that the
 * quantization or the globs name (Q4_K_M when neither is given), else its safetensors. Throws `OmniError` `hub.*` when the
 * hub, the repository or the file cannot be had, and `model.*` when what is there is damaged.
 */
export async function readHubShape(wanted: HubRepository & GgufChoice): Promise<ModelShape> {
  const files = await hubFiles(wanted);
  const paths = files.list.map(({ path }) => path);
  if (!wantsGguf(paths, wanted)) return readHuggingFaceShape(files);
  if (!paths.some(isGguf))
    throw new OmniError(
      "hub.not-found",
      `${files.name} holds neither GGUF files nor safetensors beside a config.json.`,
      { hint: "Take a repository that holds the weights in one of these formats." },
    );
  const parts = pickGguf(paths, wanted, files.name);
  const intake = new ShardIntake();
  const headers = await readEach(files, parts, async (source, index) =>
    intake.take(await readGgufHeaderFrom(source), index),
  );
  const shape = ggufShape(headers, "hub");
  return shape.name === undefined ? { ...shape, name: files.name } : shape;
}

const isGguf = (path: string): boolean => /\.gguf$/i.test(path);

/** Safetensors beside config.json are the model itself; GGUF files next to them are taken when they are asked for. */
function wantsGguf(paths: readonly string[], { quantization, files }: GgufChoice): boolean {
  if (files?.some(isGguf) === true) return true;
  const hasTensors = paths.includes("config.json") && paths.some((path) => /^[^/]+\.safetensors$/.test(path));
  if (!hasTensors) return true;
  const namesGguf = quantization !== undefined && findTensorScheme(quantization) === undefined;
  return paths.some(isGguf) && (namesGguf || files !== undefined);
}

/**
 * Lists a repository's files at a revision and reads them by ranges, all from the commit that the revision meant at that
 * moment. Throws `OmniError` `hub.unreachable`, `hub.not-found` or `hub.denied`. Source:
 * https://huggingface.co/docs/hub/api, `GET /api/models/{repo}/revision/{revision}?blobs=true`.
 */
async function hubFiles(repository: HubRepository): Promise<ModelFiles> {
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
  const commit = listing.sha ?? revision;
  return {
    name: repo,
    origin: "hub",
    list: listing.siblings.map(({ rfilename, size = 0 }) => ({ path: rfilename, size })),
    open: (file) => openUrl(resolveUrl(endpoint, repo, commit, file), { headers }),
  };
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

function resolveUrl(endpoint: URL, repo: string, revision: string, path: string): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new URL(`${repo}/resolve/${encodeURIComponent(revision)}/${encoded}`, endpoint).href;
}

/** The endpoint and what is sent to it. A token of the environment belongs to the environment's endpoint and no other. */
function access({ token, endpoint }: HubRepository): { endpoint: URL; headers: Record<string, string> } {
  const usual = parseEndpoint(process.env["HF_ENDPOINT"] ?? DEFAULT_ENDPOINT);
  const chosen = endpoint === undefined ? usual : parseEndpoint(endpoint);
  const known = chosen.origin === usual.origin ? process.env["HF_TOKEN"] : undefined;
  const secret = (token ?? known ?? "").trim();
  if (!/^[\u{21}-\u{7e}]*$/u.test(secret))
    throw new OmniError("hub.denied", "The access token of the hub holds characters that no token has.", {
      hint: "Copy it again, without quotes and line breaks.",
    });
  return { endpoint: chosen, headers: secret === "" ? {} : { authorization: `Bearer ${secret}` } };
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
