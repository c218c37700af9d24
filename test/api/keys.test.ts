import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/api/contract/index.ts";
import type { Answer } from "../../src/api/contract/index.ts";
import { keyEndpoints } from "../../src/api/endpoints/index.ts";
import type { KeyDesk } from "../../src/api/endpoints/index.ts";
import type { NewEvent } from "../../src/core/index.ts";
import { digestOf, newKey, openKeys } from "../../src/keys/index.ts";
import type { NodeKeys, SpecKey } from "../../src/keys/index.ts";
import { databasePath } from "../../src/store/state-paths.ts";
import { DatabaseSync } from "node:sqlite";
import { startNode, temporaryFolder } from "../e2e/run-node.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { strictShape } from "./strict-shape.ts";

interface Told {
  readonly status: number;
  readonly body: unknown;
}

async function ask(url: string, path: string, init: RequestInit = {}): Promise<Told> {
  const answer = await fetch(url + path, init);
  const body: unknown = await answer.json();
  return { status: answer.status, body };
}

const posted = (value: unknown): RequestInit => ({ method: "POST", body: JSON.stringify(value) });
const DELETE: RequestInit = { method: "DELETE" };
const refused = (status: number, code: string) => ({
  status,
  body: { error: expect.objectContaining({ code }) },
});

describe("keys over the API", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let keys: NodeKeys;
  let server: EndpointServer;
  let events: NewEvent[];
  let specKeys: readonly SpecKey[];

  beforeEach(async () => {
    folder = temporaryFolder();
    events = [];
    specKeys = [];
    keys = await openKeys(
      { folder: folder.path },
      { spec: [], retention: 86_400_000, onEvent: (event) => void events.push(event) },
    );
    const desk: KeyDesk = {
      store: keys.store,
      lookNow: () => keys.lookNow(),
      open: () => keys.gate.open,
      ofSpec: () => ({
        origin: "omni.yaml",
        keys: Object.fromEntries(
          specKeys.map(({ caller: { key, admin, upstream, priority } }) => [
            key,
            { admin, upstream, priority },
          ]),
        ),
        set: new Set(specKeys.map(({ caller }) => caller.key)),
      }),
    };
    server = await startEndpoints(keyEndpoints(desk));
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await keys.close();
    folder.remove();
  });

  const create = (body: unknown): Promise<Told> => ask(server.url, "/api/keys", posted(body));
  const secretOf = ({ body }: Told): string => {
    expect(strictShape(OPERATIONS["POST /api/keys/{name}/rotate"].answer)(body)).toEqual([]);
    return OPERATIONS["POST /api/keys/{name}/rotate"].answer.parse(body).secret;
  };
  const specKey = (name: string, admin: boolean): SpecKey => ({
    caller: { key: name, admin, upstream: false, priority: 5 },
    digest: digestOf(name),
  });

  it("are in force with their answer, and their secret is in no other", async () => {
    const made = await create({
      name: "ops/laptop",
      admin: true,
      routes: ["chat"],
      limits: { tokensPerDay: 9 },
    });
    expect(made).toMatchObject({ status: 201, body: { first: true, key: { state: "in force" } } });
    expect(strictShape(OPERATIONS["POST /api/keys"].answer)(made.body)).toEqual([]);
    const { secret } = OPERATIONS["POST /api/keys"].answer.parse(made.body);
    expect(keys.gate.identify(secret)).toMatchObject({ key: "ops/laptop", limits: { tokensPerDay: 9 } });
    expect(events.map(({ kind }) => kind)).toEqual(["key.created", "key.first"]);

    const turned = await ask(server.url, "/api/keys/ops%2Flaptop/rotate", posted({ grace: 60_000 }));
    const next = secretOf(turned);
    expect([keys.gate.identify(secret), keys.gate.identify(next)]).toMatchObject([
      { key: "ops/laptop" },
      { key: "ops/laptop" },
    ]);
    const ended = await ask(server.url, "/api/keys/ops%2Flaptop/rotate", { method: "POST" });
    expect(keys.gate.identify(next)).toMatchObject({ status: 401 });
    expect(await create({ name: "reader" })).toMatchObject({ status: 201, body: { first: false } });

    const listed = await ask(server.url, "/api/keys");
    expect(strictShape(OPERATIONS["GET /api/keys"].answer)(listed.body)).toEqual([]);
    const told = JSON.stringify([listed, events]);
    for (const word of [secret, next, secretOf(ended), digestOf(secret), digestOf(next)])
      expect(told).not.toContain(word);
    const usage = await ask(server.url, "/api/usage?days=3&key=reader");
    expect(usage).toEqual({ status: 200, body: { usage: [] } });
  });

  it("do not lock the one who makes them out, unless that is wanted", async () => {
    expect(await create({ name: "reader" })).toEqual(refused(409, "key_last_admin"));
    expect(keys.gate.open).toBe(true);
    await create({ name: "first", admin: true });
    await create({ name: "second", admin: true });
    // Both at once: only one of them is not the last.
    const both = await Promise.all(
      ["first", "second"].map((name) => ask(server.url, `/api/keys/${name}`, DELETE)),
    );
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const left = both[0]?.status === 200 ? "second" : "first";
    expect(await ask(server.url, `/api/keys/${left}?force=false`, DELETE)).toEqual(
      refused(409, "key_last_admin"),
    );
    const gone = await ask(server.url, `/api/keys/${left}?force=true`, DELETE);
    expect(gone).toMatchObject({ status: 200, body: { name: left } });
    expect(strictShape(OPERATIONS["DELETE /api/keys/{name}"].answer)(gone.body)).toEqual([]);
    expect(keys.gate.open).toBe(false);
    expect(await create({ name: "reader", force: true })).toMatchObject({ status: 201 });
  });

  it("with admin count only where they are in force: not expired, not behind one of the spec", async () => {
    const may = { admin: true, upstream: false, priority: 5 };
    await keys.store.create(newKey({ name: "ended", may, expires: 1 }, 0).key);
    await create({ name: "stays", admin: true });
    expect(await ask(server.url, "/api/keys/stays", DELETE)).toEqual(refused(409, "key_last_admin"));
    specKeys = [specKey("stays", false), specKey("me", true)];
    expect(await ask(server.url, "/api/keys/stays", DELETE)).toMatchObject({ status: 200 });
  });

  it("of the spec are shown, and changed nowhere but there", async () => {
    specKeys = [specKey("me", true)];
    expect((await ask(server.url, "/api/keys")).body).toMatchObject({
      keys: [{ name: "me", source: "spec", state: "in force" }],
    });
    expect(await ask(server.url, "/api/keys/me", DELETE)).toEqual(refused(409, "key_of_spec"));
    expect(await ask(server.url, "/api/keys/me/rotate", posted({}))).toEqual(refused(409, "key_of_spec"));
    expect(await create({ name: "me", admin: true })).toEqual(refused(409, "key_exists"));
  });

  it("have names and bounds that are checked before anything is written", async () => {
    const before = await create({ name: "a", admin: true });
    expect(before.status).toBe(201);
    for (const name of ["local", "__proto__", "../../etc/passwd", "", "x".repeat(129), "a b", 7, null])
      expect(await create({ name, admin: true })).toMatchObject({ status: 400 });
    for (const wrong of [
      { admin: "yes" },
      { priority: 10 },
      { limits: { tokensPerDay: 0 } },
      { limits: { tokensPerDay: 1.5 } },
      { limits: { perHour: 1 } },
      { routes: ["a b"] },
      { expires: 1 },
      { secret: "mine" },
    ])
      expect(await create({ name: "b", ...wrong })).toEqual(refused(400, "invalid_body"));
    for (const body of ["", "{", "[]", "null", '"x"'])
      expect(await ask(server.url, "/api/keys", { method: "POST", body })).toEqual(
        refused(400, "invalid_body"),
      );
    expect(await ask(server.url, "/api/keys", { method: "POST", body: "x".repeat(3_000_000) })).toEqual(
      refused(413, "body_too_large"),
    );
    expect(await create({ name: "a", admin: true })).toEqual(refused(409, "key_exists"));
    for (const path of ["constructor", "%2e%2e%2f%2e%2e", "__proto__"])
      expect(await ask(server.url, `/api/keys/${path}`, DELETE)).toEqual(refused(404, "key_unknown"));
    for (const path of ["a/b/c", "a//rotate", "%zz", "a/rotate"])
      expect(await ask(server.url, `/api/keys/${path}`, DELETE)).toEqual(refused(404, "unknown_action"));
    expect(await ask(server.url, "/api/usage?days=0")).toEqual(refused(400, "invalid_query"));
    expect((await keys.store.list()).map(({ name }) => name)).toEqual(["a"]);
  });

  it("wait for a moment while another process writes", async () => {
    const other = new DatabaseSync(databasePath(folder.path));
    try {
      other.exec("BEGIN IMMEDIATE");
      const made = create({ name: "late", admin: true });
      await new Promise((wake) => setTimeout(wake, 120));
      other.exec("COMMIT");
      expect(await made).toMatchObject({ status: 201 });
    } finally {
      other.close();
    }
  });
});

it("the first key closes a running node at once, and one without admin changes nothing there", async () => {
  const folder = temporaryFolder();
  const node = await startNode([], folder.path);
  try {
    const asked = async (name: string, body: unknown, secret = ""): Promise<Told> =>
      ask(node.url, "/api/keys", { ...posted({ name, ...Object(body) }), headers: bearer(secret) });
    const made = OPERATIONS["POST /api/keys"].answer.parse((await asked("owner", { admin: true })).body);
    expect(made.first).toBe(true);
    expect(await ask(node.url, "/api/keys")).toEqual(refused(401, "invalid_api_key"));
    const reader = OPERATIONS["POST /api/keys"].answer.parse((await asked("reader", {}, made.secret)).body);
    const headers = bearer(reader.secret);
    for (const path of ["/api/keys", "/api/usage", "/api/plan", "/api/runbooks", "/api/runbooks/x/report"])
      expect((await ask(node.url, path, { headers })).status).toBe(403);
    for (const path of ["/api/keys", "/api/keys/owner/rotate", "/api/plan/try"])
      expect((await ask(node.url, path, { ...posted({}), headers })).status).toBe(403);
    expect((await ask(node.url, "/api/keys/owner", { ...DELETE, headers })).status).toBe(403);
    const gone = await ask(node.url, "/api/keys/reader", { ...DELETE, headers: bearer(made.secret) });
    expect(gone.status).toBe(200);
    expect(await ask(node.url, "/v1/models", { headers })).toEqual(refused(401, "invalid_api_key"));
    const session: Answer<"GET /api/session"> = OPERATIONS["GET /api/session"].answer.parse(
      (await ask(node.url, "/api/session", { headers: bearer(made.secret) })).body,
    );
    expect(session).toMatchObject({ key: "owner", admin: true, keysRequired: true });
    expect(session.parts).toEqual(expect.arrayContaining(["planner", "keys", "runbook"]));
  } finally {
    await node.interrupt();
    folder.remove();
  }
});

const bearer = (secret: string): Record<string, string> =>
  secret === "" ? {} : { authorization: `Bearer ${secret}` };
