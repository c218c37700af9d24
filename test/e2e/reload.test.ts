import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { omni, startNode, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const spec = join(folder.path, "omni.yaml");
const CHAT = { model: "chat", messages: [{ role: "user", content: "Say something long." }] };

/** A spec with one demo model under further names, and what a test adds. */
const write = (names: readonly string[], more = ""): void => {
  const routes = names.map((name) => `  ${name}: { services: [chat] }\n`).join("");
  writeFileSync(
    spec,
    `omni: 1\nmodels: { chat: builtin:omni-demo }\n${names.length === 0 ? "" : `routes:\n${routes}`}${more}`,
  );
};

it("omni reload takes over routes, keys and bounds under a running stream, and nothing of a wrong spec", async () => {
  const state = join(folder.path, "state");
  write(["first"]);
  const node = await startNode([spec], state);
  const post = (body: unknown, secret?: string): Promise<Response> =>
    fetch(`${node.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify(body),
    });
  const reload = (secret = ""): ReturnType<typeof omni> =>
    omni(["reload"], state, undefined, { env: { OMNI_API_KEY: secret } });
  try {
    // A stream that runs over every reload.
    const stream = await post({ ...CHAT, model: "first", stream: true, max_tokens: 48 });
    expect(stream.status).toBe(200);

    write(["second"], "gateway: { bodyLimit: 1KiB }\n");
    expect(await reload()).toMatchObject({ code: 0, stderr: "" });
    const gone = await post({ ...CHAT, model: "first", max_tokens: 1 });
    expect(gone.status).toBe(404);
    expect(await gone.json()).toMatchObject({ error: { code: "model_not_found" } });
    expect((await post({ ...CHAT, model: "second", max_tokens: 1 })).status).toBe(200);
    expect((await post({ ...CHAT, user: "x".repeat(2_000) })).status).toBe(413);

    writeFileSync(
      spec,
      "omni: 1\nmodels: { chat: builtin:omni-demo }\nroutes: { x: { services: [nobody] } }\n",
    );
    const wrong = await reload();
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("Nothing was changed");
    expect(wrong.stderr).toContain("nobody");
    expect((await post({ ...CHAT, model: "second", max_tokens: 1 })).status).toBe(200);

    write(["second"], "keys: { me: { file: ./key, admin: true } }\ngateway: { anthropic: false }\n");
    writeFileSync(join(folder.path, "key"), "a-secret-of-the-owner\n");
    const closed = await reload();
    expect(closed.code).toBe(0);
    expect(closed.stdout).toContain("gateway.anthropic changes with the next start");
    expect((await post({ ...CHAT, max_tokens: 1 })).status).toBe(401);
    expect((await post({ ...CHAT, max_tokens: 1 }, "a-secret-of-the-owner")).status).toBe(200);
    expect((await reload()).code).not.toBe(0);

    // Without its keys the node stays closed: it had one.
    write(["second"]);
    expect((await reload("a-secret-of-the-owner")).code).toBe(0);
    expect((await post({ ...CHAT, max_tokens: 1 }, "a-secret-of-the-owner")).status).toBe(401);

    const said = await stream.text();
    expect(said.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(said).not.toContain('"error"');
    const events = (await omni(["events", "--json"], state)).stdout;
    expect(events.match(/"node\.reloaded"/g)).toHaveLength(3);
    expect(events).toContain('"key.first"');
    expect(events + node.stdout() + node.stderr()).not.toContain("a-secret-of-the-owner");
  } finally {
    expect(await node.interrupt()).toBe(0);
  }
});
