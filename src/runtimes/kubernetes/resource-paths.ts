import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import { ApiError } from "./api-error.ts";
import type { ApiClient } from "./api-client.ts";

const RESOURCES = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/** What the API calls the objects of a kind, and where they are. */
export interface Resource {
  /** Empty for the core. */
  readonly group: string;
  /** `deployments`. */
  readonly plural: string;
  /** Whether its objects lie in a namespace; `path` of others ignores it. */
  readonly namespaced: boolean;
  /** Path of all in a namespace; add `/NAME` for one. */
  readonly path: (namespace: string) => string;
}

/** Asks the API server which resource holds a kind, once a version of a group. */
export class ResourcePaths {
  readonly #client: ApiClient;
  readonly #versions = new Map<string, Promise<ReadonlyMap<string, Resource>>>();

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Throws OmniError `cluster.refused` for a kind that the cluster does not have, or that belongs to no namespace. */
  async of(apiVersion: string, kind: string): Promise<Resource> {
    const kinds = await this.#kinds(apiVersion);
    const resource = kinds.get(kind);
    if (resource?.namespaced === true) return resource;
    throw new OmniError(
      "cluster.refused",
      `The cluster has no ${kind} of ${apiVersion} that belongs to a namespace.`,
      {
        hint: "Install the controller that brings it; the README of omni render --target kubernetes names it.",
      },
    );
  }

  /** Any kind, also of no namespace, or `undefined` where the cluster does not have it. */
  async find(apiVersion: string, kind: string): Promise<Resource | undefined> {
    return (await this.#kinds(apiVersion)).get(kind);
  }

  #kinds(apiVersion: string): Promise<ReadonlyMap<string, Resource>> {
    const known = this.#versions.get(apiVersion);
    if (known !== undefined) return known;
    const asked = this.#ask(apiVersion);
    this.#versions.set(apiVersion, asked);
    asked.catch(() => this.#versions.delete(apiVersion));
    return asked;
  }

  async #ask(apiVersion: string): Promise<ReadonlyMap<string, Resource>> {
    const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
    const root = group === "" ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
    const answer = await this.#client.json({ path: root }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return { resources: [] };
      throw error;
    });
    const kinds = new Map<string, Resource>();
    for (const { name, kind, namespaced } of RESOURCES.parse(answer).resources) {
      // `deployments/scale` is a part of another.
      if (name.includes("/")) continue;
      kinds.set(kind, {
        group,
        plural: name,
        namespaced,
        path: (namespace) => (namespaced ? `${root}/namespaces/${namespace}/${name}` : `${root}/${name}`),
      });
    }
    return kinds;
  }
}
