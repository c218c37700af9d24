/**
 * A Kubernetes API server for tests: real HTTP with objects, versions, watches, server-side apply, logs and
 * port-forward, and behind it controllers and a kubelet that runs containers as processes of this machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { z } from "zod";
import { Controllers } from "./kubernetes-api/controllers.ts";
import { FakeKubelet } from "./kubernetes-api/kubelet.ts";
import type { Stored } from "./kubernetes-api/object-store.ts";
import { ObjectStore } from "./kubernetes-api/object-store.ts";
import type { Target } from "./kubernetes-api/requests.ts";
import { answer, bodyOf, DISCOVERY, refuse, targetOf } from "./kubernetes-api/requests.ts";
import { applied, patched } from "./kubernetes-api/server-side-apply.ts";
import { WatchStreams } from "./kubernetes-api/watch-streams.ts";
import { servePortForward } from "./kubernetes-api/web-socket.ts";

const TOKEN = "token-of-the-test";

const STORED = z.custom<Stored>(
  (value) =>
    z.object({ kind: z.string(), metadata: z.object({ name: z.string() }) }).safeParse(value).success,
);
const DELETE = z.object({
  gracePeriodSeconds: z.number().default(30),
  preconditions: z.object({ uid: z.string() }).optional(),
});

/** One request that came, for asserting what was asked and what was not. */
export interface Came {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

export class FakeKubernetes {
  readonly namespace: string;
  /** Its namespace is there only once somebody applied it. */
  readonly #bare: boolean;
  readonly store = new ObjectStore();
  readonly kubelet: FakeKubelet;
  readonly controllers: Controllers;
  readonly watches: WatchStreams;
  readonly requests: Came[] = [];
  /** `verb resource`, such as `create pods/portforward`, that the credentials may not do. */
  readonly denied = new Set<string>();
  /** The token that is taken; another makes every request unauthorized. */
  token = TOKEN;
  readonly #folder = mkdtempSync(join(tmpdir(), "omni-kubernetes-"));
  readonly #streams = new Set<ServerResponse>();
  readonly #sockets = new Set<Duplex>();
  #server: Server | undefined;
  #port = 0;
  #events = 0;

  private constructor(namespace: string, bare: boolean) {
    this.namespace = namespace;
    this.#bare = bare;
    this.kubelet = new FakeKubelet({
      setStatus: (pod, status, node) => {
        const now = this.store.get("pods", pod.metadata.name);
        if (now === undefined || now.metadata.uid !== pod.metadata.uid) return;
        this.store.put("pods", { ...now, spec: { ...now.spec, nodeName: node }, status });
      },
      remove: (pod) => this.store.remove("pods", pod.metadata.name),
      event: (pod, type, reason, message) => this.event(pod, type, reason, message),
      object: (plural, name) => this.store.get(plural, name),
    });
    this.controllers = new Controllers(this.store, (pod, grace) => this.endPod(pod, grace));
    this.watches = new WatchStreams(this.store);
    this.store.subscribe(({ type, plural, object }) => {
      if (type === "ADDED" && plural === "pods") setImmediate(() => this.kubelet.add(object));
    });
  }

  /** `bare` is a cluster in which nobody made the namespace. */
  static async start({ namespace = "omni-test", bare = false } = {}): Promise<FakeKubernetes> {
    const cluster = new FakeKubernetes(namespace, bare);
    await cluster.back();
    return cluster;
  }

  /** Path of a kubeconfig for it; `user` and `context` as its owner would have named them. */
  kubeconfig(token = TOKEN): string {
    const path = join(this.#folder, "kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "fake",
          cluster: { server: `http://127.0.0.1:${this.#port}`, "insecure-skip-tls-verify": true },
        },
      ],
      users: [{ name: "tester", user: { token } }],
      contexts: [{ name: "test", context: { cluster: "fake", user: "tester" } }],
      "current-context": "test",
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  /** The API server is gone: its port refuses, its streams break. The engines live on. */
  async away(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
    this.cutStreams();
    for (const socket of this.#sockets) socket.destroy();
    server?.closeAllConnections();
    await closed;
  }

  async back(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) =>
        refuse(response, 500, "InternalError", String(error)),
      );
    });
    server.on("upgrade", (request, socket) => this.#upgrade(request, socket));
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    const address = server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Breaks every watch and log in the middle. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** A node that is well, with what it can give to pods. */
  addNode(name: string, allocatable: Readonly<Record<string, string>> = {}): void {
    const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady", message: "" }];
    const metadata = { name, uid: "", resourceVersion: "", generation: 0, creationTimestamp: "" };
    this.store.put("nodes", {
      apiVersion: "v1",
      kind: "Node",
      metadata: { ...metadata, namespace: "", labels: { "kubernetes.io/hostname": name } },
      spec: {},
      status: { conditions, allocatable, capacity: allocatable, nodeInfo: { kubeletVersion: "v1.35.0" } },
    });
  }

  pods(): readonly Stored[] {
    return this.store.list("pods");
  }

  endPod(pod: Stored, grace: number): void {
    const now = this.store.get("pods", pod.metadata.name);
    if (now === undefined) return;
    const before = now.metadata.deletionGracePeriodSeconds ?? Infinity;
    if (grace >= before) return;
    this.store.put("pods", {
      ...now,
      metadata: {
        ...now.metadata,
        deletionTimestamp: new Date().toISOString(),
        deletionGracePeriodSeconds: grace,
      },
    });
    if (grace === 0) this.store.remove("pods", pod.metadata.name);
    else this.kubelet.end(now.metadata.uid, grace);
  }

  event(pod: Stored, type: "Normal" | "Warning", reason: string, message: string, count = 1): void {
    const known = this.store
      .list("events")
      .find((event) => event["message"] === message && event["pod"] === pod.metadata.uid);
    this.#events += known === undefined ? 1 : 0;
    this.store.put("events", {
      apiVersion: "v1",
      kind: "Event",
      metadata: known?.metadata ?? {
        name: `event-${this.#events}`,
        namespace: this.namespace,
        uid: "",
        resourceVersion: "",
        generation: 0,
        creationTimestamp: "",
      },
      type,
      reason,
      message,
      count,
      pod: pod.metadata.uid,
      involvedObject: { kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid },
    });
  }

  async close(): Promise<void> {
    this.controllers.close();
    await this.kubelet.close();
    this.watches.close();
    await this.away();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    const method = request.method ?? "GET";
    this.requests.push({ method, path: url.pathname, query: Object.fromEntries(url.searchParams) });
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      refuse(response, 401, "Unauthorized", "Unauthorized");
      return;
    }
    const discovery = DISCOVERY[url.pathname];
    if (discovery !== undefined) {
      answer(response, 200, {
        kind: "APIResourceList",
        resources: discovery.map(([name, kind, whole]) => ({ name, kind, namespaced: whole === undefined })),
      });
      return;
    }
    const target = targetOf(url.pathname);
    if (target === undefined)
      refuse(response, 404, "NotFound", "the server could not find the requested resource");
    else if (target.namespace !== "" && !this.#hasNamespace(target.namespace)) {
      if (method === "GET")
        answer(response, 200, { kind: "List", metadata: { resourceVersion: "1" }, items: [] });
      else refuse(response, 404, "NotFound", `namespaces "${target.namespace}" not found`);
    } else await this.#act(target, method, url, request, response);
  }

  #hasNamespace(name: string): boolean {
    return name === this.namespace && (!this.#bare || this.store.get("namespaces", name) !== undefined);
  }

  async #act(
    target: Target,
    method: string,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const verb = verbOf(method, target, url);
    const resource = `${target.plural}${target.part === "" ? "" : `/${target.part}`}`;
    if (this.denied.has(`${verb} ${resource}`)) {
      const group = target.group === "" ? "" : `.${target.group}`;
      refuse(
        response,
        403,
        "Forbidden",
        `${target.plural}${group} is forbidden: User "tester" cannot ${verb} resource "${resource}" in API group "${target.group}" in the namespace "${target.namespace}"`,
      );
    } else if (target.part === "log") this.#log(target, url, response);
    else if (target.part === "proxy") this.#proxy(target, request, response);
    else if (method === "PATCH") await this.#patch(target, url, request, response);
    else if (method === "DELETE") await this.#delete(target, request, response);
    else this.#read(target, url, response);
  }

  #read(target: Target, url: URL, response: ServerResponse): void {
    const { plural, name } = target;
    if (url.searchParams.get("watch") === "true") {
      this.#streams.add(response);
      response.on("close", () => this.#streams.delete(response));
      this.watches.serve(plural, url.searchParams, response);
      return;
    }
    if (name !== undefined) {
      const object = this.store.get(plural, name);
      if (object === undefined) refuse(response, 404, "NotFound", `${plural} "${name}" not found`);
      else answer(response, 200, object);
      return;
    }
    const selected = this.store.list(plural).filter(this.watches.selects(url.searchParams));
    const metadata = { resourceVersion: `${this.store.version}` };
    answer(response, 200, { kind: "List", apiVersion: "v1", metadata, items: selected });
  }

  async #patch(target: Target, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { plural, name = "" } = target;
    const live = this.store.get(plural, name);
    const manager = url.searchParams.get("fieldManager") ?? "unknown";
    const body = await bodyOf(request);
    if (request.headers["content-type"] !== "application/apply-patch+yaml") {
      if (live === undefined) refuse(response, 404, "NotFound", `${plural} "${name}" not found`);
      else answer(response, 200, this.store.put(plural, patched(live, body, manager)));
      return;
    }
    const wanted = STORED.parse(body);
    const fixed = live !== undefined && plural === "jobs" ? changedTemplate(live, wanted) : undefined;
    if (fixed !== undefined) {
      refuse(response, 422, "Invalid", fixed);
      return;
    }
    const result = applied(live, wanted, manager, url.searchParams.get("force") === "true");
    if ("object" in result && url.searchParams.get("dryRun") === "All") {
      answer(response, 200, result.object);
      return;
    }
    if ("object" in result) {
      answer(response, live === undefined ? 201 : 200, this.store.put(plural, result.object));
      return;
    }
    const causes = result.conflicts.map((conflict) => ({
      reason: "FieldManagerConflict",
      message: `conflict with "${conflict.manager}" using ${live?.apiVersion ?? ""}`,
      field: conflict.field,
    }));
    const words = causes.map(({ message, field }) => `${message}: ${field}`).join(", ");
    refuse(response, 409, "Conflict", `Apply failed with ${causes.length} conflict: ${words}`, causes);
  }

  async #delete(target: Target, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { plural, name = "" } = target;
    const live = this.store.get(plural, name);
    const { gracePeriodSeconds, preconditions } = DELETE.parse(await bodyOf(request));
    if (live === undefined) refuse(response, 404, "NotFound", `${plural} "${name}" not found`);
    else if (preconditions !== undefined && preconditions.uid !== live.metadata.uid) {
      refuse(response, 409, "Conflict", "Precondition failed: UID in precondition");
    } else {
      if (plural === "pods") this.endPod(live, gracePeriodSeconds);
      else this.store.remove(plural, name);
      answer(response, 200, live);
    }
  }

  #log(target: Target, url: URL, response: ServerResponse): void {
    const { name = "" } = target;
    const previous = url.searchParams.get("previous") === "true";
    const log = this.kubelet.logOf(name, previous);
    if (this.store.get("pods", name) === undefined || log === undefined) {
      refuse(response, 404, "NotFound", `pods "${name}" not found`);
      return;
    }
    if (!previous && !this.kubelet.started(name)) {
      refuse(response, 400, "BadRequest", `container "engine" in pod "${name}" is waiting to start`);
      return;
    }
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders();
    const timestamps = url.searchParams.get("timestamps") === "true";
    const since = url.searchParams.get("sinceTime") ?? undefined;
    const tail = url.searchParams.get("tailLines");
    let from = tail === null ? 0 : Math.max(0, log.length - Number(tail));
    const more = (): void => {
      const { text, next } = log.read(from, since, timestamps);
      from = next;
      if (text !== "") response.write(text);
      if (log.closed || url.searchParams.get("follow") !== "true") response.end();
    };
    this.#streams.add(response);
    const unsubscribe = log.subscribe(more);
    response.on("close", () => {
      unsubscribe();
      this.#streams.delete(response);
    });
    more();
  }

  #proxy(target: Target, request: IncomingMessage, response: ServerResponse): void {
    const [name = "", port = ""] = (target.name ?? "").split(":");
    const host = this.kubelet.addressOf(name);
    const onward = httpRequest({ host, port, method: request.method, path: target.rest }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    onward.on("error", () => refuse(response, 502, "BadGateway", "error trying to reach service"));
    request.pipe(onward);
  }

  #upgrade(request: IncomingMessage, socket: Duplex): void {
    const url = new URL(request.url ?? "/", "http://fake");
    this.requests.push({ method: "GET", path: url.pathname, query: Object.fromEntries(url.searchParams) });
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    const target = targetOf(url.pathname);
    const host = this.kubelet.addressOf(target?.name ?? "");
    const denied = ["get", "create"].some((verb) => this.denied.has(`${verb} pods/portforward`));
    const known = request.headers.authorization === `Bearer ${this.token}` && target?.part === "portforward";
    const refusal = known ? (denied ? "403 Forbidden" : "404 Not Found") : "401 Unauthorized";
    if (!known || denied || host === undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    servePortForward(request, socket, host, Number(url.searchParams.get("ports")));
  }
}

const TEMPLATE = z.object({ template: z.unknown() });

/** The template of a Job cannot be changed. */
function changedTemplate(live: Stored, wanted: Stored): string | undefined {
  const [had, asked] = [live, wanted].map(({ spec }) =>
    JSON.stringify(TEMPLATE.safeParse(spec).data?.template),
  );
  return had === asked
    ? undefined
    : `Job.batch "${live.metadata.name}" is invalid: spec.template: field is immutable`;
}

function verbOf(method: string, target: Target, url: URL): string {
  if (method === "PATCH") return "patch";
  if (method === "DELETE") return "delete";
  if (target.name !== undefined) return "get";
  return url.searchParams.get("watch") === "true" ? "watch" : "list";
}
