import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openSqliteKeys } from "../../src/store/sqlite-keys.ts";
import { eventually, omni, startNode, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

it("a running node takes keys as they are made, limits them, and writes what they use", async () => {
  const state = join(folder.path, "running");
  const spec = join(folder.path, "omni.yaml");
  writeFileSync(spec, "omni: 1\nmodels: { chat: builtin:omni-demo }\n");
  const node = await startNode([spec], state);
  const keys = (...args: string[]) => omni(["keys", ...args], state, undefined, { cwd: folder.path });
  const status = async (secret?: string): Promise<number> => {
    const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
    return (await fetch(`${node.url}/v1/models`, { headers })).status;
  };
  const ask = (secret: string): Promise<Response> =>
    fetch(`${node.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: JSON.stringify({ model: "chat", max_tokens: 4, messages: [{ role: "user", content: "hello" }] }),
    });
  try {
    expect(await status()).toBe(200);
    const first = (await keys("create", "first", "--requests-per-minute", "2")).stdout.trim();
    await eventually(async () => (await status()) === 401);
    expect(await status(first)).toBe(200);
    const answer = await ask(first);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-ratelimit-limit-requests")).toBe("2");
    await answer.text();
    await (await ask(first)).text();
    const refused = await ask(first);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });

    const store = openSqliteKeys(state, { patient: true });
    try {
      const ever = { from: "2000-01-01", to: "2999-12-31", key: "first" };
      await eventually(() => store.usageNow(ever)[0]?.requests === 2);
    } finally {
      await store.close();
    }
    expect((await keys("usage", "first")).stdout).toMatch(/first +\S+ +chat +2 /);
    const second = (await keys("rotate", "first")).stdout.trim();
    await eventually(async () => (await status(second)) === 200);
    await eventually(async () => (await status(first)) === 401);
    await keys("revoke", "first");
    await eventually(async () => (await status(second)) === 401);
    expect(await status()).toBe(401);
    const events = (await omni(["events", "--json"], state)).stdout;
    expect(events).toContain("key.rotated");
    expect(events + node.stdout() + node.stderr()).not.toContain(second);
  } finally {
    await node.interrupt();
  }
});
