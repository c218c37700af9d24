import { createHash } from "node:crypto";
import { messageOf, OmniError } from "../core/index.ts";
import type { ImageName } from "./image-name.ts";
import { findCredentials } from "./registry-credentials.ts";
import { readBounded, TooLong } from "./read-bounded.ts";
import { answerChallenge, parseChallenge } from "./registry-token.ts";

/** Manifests and configurations are some KB; registries bound them to 4 MB. */
const MAX_DOCUMENT_BYTES = 8 * 2 ** 20;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface RegistryOptions {
  /** Speak plain HTTP. A registry on this machine is always spoken to so. */
  readonly insecure?: boolean;
  /** For credentials; the process's own when absent. */
  readonly environment?: NodeJS.ProcessEnv;
}

interface LayerBlob {
  readonly digest: string;
  /** As its manifest says, bytes. */
  readonly size: number;
}

/** A document of a registry and the digest that its bytes have. */
export interface RegistryDocument {
  readonly text: string;
  readonly digest: string;
}

/**
 * Reads one repository of a registry (OCI distribution specification 1.1), with a token where one is asked for. Errors
 * are `OmniError` `image.unreachable` or `image.malformed`, and never tell credentials.
 */
export class RegistryClient {
  readonly #name: ImageName;
  readonly #base: string;
  readonly #options: RegistryOptions;
  readonly #plainHttp: boolean;
  #authorization: string | undefined;

  constructor(name: ImageName, options: RegistryOptions = {}) {
    this.#name = name;
    this.#options = options;
    this.#plainHttp = options.insecure === true || isThisMachine(name.registry);
    const host = name.registry === "docker.io" ? "registry-1.docker.io" : name.registry;
    this.#base = `${this.#plainHttp ? "http" : "https"}://${host}/v2/${name.repository}`;
  }

  /** A manifest by tag or digest; one asked for by digest has that digest. */
  async manifest(reference: string, accept: readonly string[]): Promise<RegistryDocument> {
    return this.#document(`/manifests/${reference}`, accept.join(", "), reference);
  }

  /** A small blob, such as a configuration. */
  async blob(digest: string): Promise<RegistryDocument> {
    return this.#document(`/blobs/${digest}`, "*/*", digest);
  }

  /** Whether a manifest (by tag or digest) or a blob (by digest) is there; its bytes are not asked for. */
  async holds(kind: "manifests" | "blobs", reference: string, accept: readonly string[]): Promise<boolean> {
    const signal = AbortSignal.timeout(60_000);
    const response = await this.#asked(`/${kind}/${reference}`, accept.join(", "), signal, "HEAD");
    await response.body?.cancel();
    if (response.ok) return true;
    if (response.status === 404) return false;
    throw this.#refused(response.status);
  }

  /**
   * The bytes of a layer as they come, at most as many as its manifest says; a connection that breaks is an error of the
   * registry, not of the layer. The signal ends it, also within a read.
   */
  async *layer({ digest, size }: LayerBlob, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const response = await this.#get(`/blobs/${digest}`, "*/*", signal);
    let received = 0;
    try {
      for await (const chunk of response.body ?? []) {
        received += chunk.byteLength;
        if (received > size)
          throw this.#malformed(`layer ${digest} is longer than the ${size} bytes of the manifest`);
        yield chunk;
      }
    } catch (thrown) {
      throw thrown instanceof OmniError
        ? thrown
        : this.#unreachable(
            `layer ${digest} broke off after ${received} bytes (${reasonOf(thrown)})`,
            thrown,
          );
    }
  }

  async #document(path: string, accept: string, wanted: string): Promise<RegistryDocument> {
    const response = await this.#get(path, accept, AbortSignal.timeout(60_000));
    const bytes = await readBounded(response, MAX_DOCUMENT_BYTES).catch((thrown: unknown) => {
      throw thrown instanceof TooLong
        ? this.#malformed(`a document has more than ${MAX_DOCUMENT_BYTES} bytes`)
        : this.#unreachable(messageOf(thrown), thrown);
    });
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (wanted.startsWith("sha256:") && wanted !== digest)
      throw this.#malformed(`what it sent for ${wanted} has the digest ${digest}`);
    return { text: bytes.toString("utf8"), digest };
  }

  async #get(path: string, accept: string, signal?: AbortSignal): Promise<Response> {
    const response = await this.#asked(path, accept, signal, "GET");
    if (response.ok) return response;
    if (!response.bodyUsed) await response.body?.cancel();
    throw this.#refused(response.status);
  }

  /** Asks once more with a token where one is asked for. */
  async #asked(
    path: string,
    accept: string,
    signal: AbortSignal | undefined,
    method: "GET" | "HEAD",
  ): Promise<Response> {
    const response = await this.#fetch(path, accept, signal, method);
    const challenge =
      response.status === 401 ? parseChallenge(response.headers.get("www-authenticate")) : undefined;
    if (challenge === undefined) return response;
    await response.body?.cancel();
    this.#authorization = await this.#answer(challenge);
    return this.#authorization === undefined ? response : this.#fetch(path, accept, signal, method);
  }

  async #answer(challenge: NonNullable<ReturnType<typeof parseChallenge>>): Promise<string | undefined> {
    const credentials = await findCredentials(this.#name.registry, this.#options.environment);
    const scope = `repository:${this.#name.repository}:pull`;
    return answerChallenge(challenge, credentials, scope, this.#plainHttp).catch((thrown: unknown) => {
      throw this.#unreachable(`its token service does not answer: ${reasonOf(thrown)}`, thrown);
    });
  }

  /** Follows redirects itself: another host gets no credentials, and nothing leads from https to http. */
  async #fetch(
    path: string,
    accept: string,
    signal: AbortSignal | undefined,
    method: "GET" | "HEAD",
  ): Promise<Response> {
    const start = new URL(`${this.#base}${path}`);
    let url = start;
    let authorization = this.#authorization;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const headers = { accept, ...(authorization === undefined ? {} : { authorization }) };
      const response = await fetch(url, {
        method,
        headers,
        redirect: "manual",
        signal: signal ?? null,
      }).catch((thrown: unknown) => {
        throw this.#unreachable(reasonOf(thrown), thrown);
      });
      if (!REDIRECTS.has(response.status)) return response;
      await response.body?.cancel();
      const next = URL.parse(response.headers.get("location") ?? "", url);
      const sound = next?.protocol === "https:" || (next?.protocol === "http:" && url.protocol === "http:");
      if (next === null || !sound || next.username !== "" || next.password !== "")
        throw this.#malformed(
          `it redirects to ${next === null ? "nowhere" : `${next.protocol}//${next.host}`}`,
        );
      if (next.origin !== url.origin) authorization = undefined;
      url = next;
    }
    throw this.#malformed(`it redirects more than ${MAX_REDIRECTS} times`);
  }

  #refused(status: number): OmniError {
    const { registry, repository, reference } = this.#name;
    const where = `${registry}/${repository} (${reference})`;
    if (status === 401 || status === 403) {
      return new OmniError("image.unreachable", `${registry} does not show ${where}: HTTP ${status}.`, {
        hint: "Check the name; for a private image run docker login. Credentials in helpers are not read, those in config.json are.",
      });
    }
    if (status === 404) return new OmniError("image.unreachable", `There is no image ${where}.`);
    return new OmniError("image.unreachable", `${registry} answers HTTP ${status} for ${where}.`, {
      hint: status === 429 ? "The registry limits how often it is asked; wait, or log in." : undefined,
    });
  }

  #unreachable(why: string, cause: unknown): OmniError {
    return new OmniError(
      "image.unreachable",
      `The registry ${this.#name.registry} cannot be reached: ${why}.`,
      {
        hint: this.#plainHttp
          ? undefined
          : "Check the name and the network; for a registry over plain HTTP add --insecure.",
        cause,
      },
    );
  }

  #malformed(why: string): OmniError {
    return new OmniError(
      "image.malformed",
      `The registry ${this.#name.registry} is not as it should be: ${why}.`,
    );
  }
}

/** Fetch hides the reason in the cause (`ECONNREFUSED`, a certificate). */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return messageOf(cause ?? thrown);
}

const isThisMachine = (registry: string): boolean =>
  /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(registry);
