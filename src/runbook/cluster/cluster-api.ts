import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import { conflict } from "../../runtimes/kubernetes/applied-objects.ts";
import { ApiClient } from "../../runtimes/kubernetes/api-client.ts";
import { ApiError } from "../../runtimes/kubernetes/api-error.ts";
import { clusterAccess } from "../../runtimes/kubernetes/cluster-access.ts";
import type { AccessOptions } from "../../runtimes/kubernetes/cluster-access.ts";
import { clusterFault } from "../../runtimes/kubernetes/cluster-fault.ts";
import type { Asked } from "../../runtimes/kubernetes/cluster-fault.ts";
import { readPod } from "../../runtimes/kubernetes/pod.ts";
import type { Pod } from "../../runtimes/kubernetes/pod.ts";
import { ResourcePaths } from "../../runtimes/kubernetes/resource-paths.ts";
import type { Resource } from "../../runtimes/kubernetes/resource-paths.ts";
import { differingPaths } from "./differing-paths.ts";

/** An object as it is applied: what a renderer makes of it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** What applying an object would do: nothing, or the paths that would change. */
export type Difference =
  | { readonly kind: "none"; readonly live: unknown }
  | { readonly kind: "absent" }
  | { readonly kind: "changed"; readonly paths: readonly string[] }
  /** A field that the API lets nobody change: the object has to be made anew. */
  | { readonly kind: "immutable"; readonly message: string };

/** Name under which the API remembers which fields are Omni's. */
const MANAGER = "omni-apply";
const POLL_MS = 250;
const ITEMS = z.object({ items: z.array(z.unknown()).default([]) });
const UID = z.object({ metadata: z.object({ uid: z.string() }) });

/** A cluster as applying a spec uses it: objects by server-side apply, pods and their last words. */
export class ClusterApi {
  readonly #client: ApiClient;
  readonly #paths: ResourcePaths;

  private constructor(client: ApiClient) {
    this.#client = client;
    this.#paths = new ResourcePaths(client);
  }

  /** Throws OmniError `cluster.no-config`; the server itself is asked at the first use. */
  static async open(options: AccessOptions = {}): Promise<ClusterApi> {
    return new ClusterApi(new ApiClient(await clusterAccess(options)));
  }

  get server(): string {
    return this.#client.access.server;
  }

  /** The object as the cluster has it. Throws OmniError `cluster.*`. */
  async get(object: Manifest): Promise<unknown> {
    const { asked, path } = await this.#target(object, "get");
    return this.#orAbsent(asked, this.#client.json({ path }));
  }

  /** What an apply would change, as the server itself says (dry run). Throws OmniError `cluster.*`. */
  async difference(object: Manifest): Promise<Difference> {
    const live = await this.get(object);
    if (live === undefined) return { kind: "absent" };
    const { asked } = await this.#target(object, "patch");
    try {
      const wanted = await this.#send(object, { dryRun: "All" });
      const paths = differingPaths(live, wanted);
      return paths.length === 0 ? { kind: "none", live } : { kind: "changed", paths };
    } catch (error) {
      if (isImmutable(error)) return { kind: "immutable", message: error.message };
      throw this.#fault(error, asked, object);
    }
  }

  /** Applies an object. Throws OmniError `cluster.conflict` for fields that somebody else keeps, and `cluster.*`. */
  async apply(object: Manifest): Promise<void> {
    const { asked } = await this.#target(object, "patch");
    try {
      await this.#send(object, {});
    } catch (error) {
      throw this.#fault(error, asked, object);
    }
  }

  /** Deletes the very object that is there now, with what it made, and waits until it is gone. */
  async remove(object: Manifest, signal: AbortSignal): Promise<void> {
    const live = UID.safeParse(await this.get(object)).data;
    if (live === undefined) return;
    const { asked, path } = await this.#target(object, "delete");
    const preconditions = { uid: live.metadata.uid };
    const body = { gracePeriodSeconds: 30, propagationPolicy: "Foreground", preconditions };
    await this.#orAbsent(asked, this.#client.json({ method: "DELETE", path, body, signal }));
    while (UID.safeParse(await this.get(object)).data?.metadata.uid === live.metadata.uid)
      await sleep(POLL_MS, undefined, { signal });
  }

  /** Pods of a namespace that carry these labels. */
  async pods(namespace: string, labels: Readonly<Record<string, string>>): Promise<readonly Pod[]> {
    const asked = this.#asked("list", { group: "", plural: "pods" }, namespace);
    const labelSelector = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const answer = await this.#orAbsent(asked, this.#client.json({ path, query: { labelSelector } }));
    return (ITEMS.safeParse(answer).data?.items ?? []).flatMap((item) => readPod(item) ?? []);
  }

  /** The last lines of a pod's container; none where it has not begun, or may not be read. */
  async lastLines(namespace: string, pod: Pod, lines: number): Promise<readonly string[]> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod.name}/log`;
    const query = { container: pod.engineName, tailLines: lines };
    const text = await this.#client.json({ path, query }).catch(() => "");
    return typeof text === "string" ? text.split("\n").filter((line) => line.trim() !== "") : [];
  }

  #send(object: Manifest, query: Readonly<Record<string, string>>): Promise<unknown> {
    return this.#target(object, "patch").then(({ path }) =>
      this.#client.json({
        method: "PATCH",
        path,
        query: { fieldManager: MANAGER, fieldValidation: "Strict", ...query },
        contentType: "application/apply-patch+yaml",
        body: object,
      }),
    );
  }

  async #target(
    object: Manifest,
    verb: Asked["verb"],
  ): Promise<{ readonly asked: Asked; readonly path: string }> {
    const { apiVersion, kind, metadata } = object;
    const namespace = metadata.namespace ?? "";
    const unknown = this.#asked("get", { group: "", plural: kind }, namespace);
    const found = await this.#paths.find(apiVersion, kind).catch((error: unknown) => {
      throw clusterFault(error, unknown, this.server);
    });
    if (found === undefined)
      throw new OmniError("cluster.refused", `The cluster has no ${kind} of ${apiVersion}.`, {
        hint: "Install the controller that brings it; the README of omni render --target kubernetes names it.",
      });
    return {
      asked: this.#asked(verb, found, namespace),
      path: `${found.path(namespace)}/${metadata.name}`,
    };
  }

  #asked(verb: Asked["verb"], { group, plural }: Pick<Resource, "group" | "plural">, namespace: string) {
    return { verb, group, resource: plural, namespace, purpose: "apply the spec" };
  }

  #fault(error: unknown, asked: Asked, object: Manifest): OmniError {
    if (error instanceof ApiError && error.status === 409) return conflict(error, object);
    return clusterFault(error, asked, this.server);
  }

  /** `undefined` for what is not there, namespace included. */
  async #orAbsent(asked: Asked, answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw clusterFault(error, asked, this.server);
    }
  }
}

const isImmutable = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status === 422 && /immutable|may not change/i.test(error.message);
