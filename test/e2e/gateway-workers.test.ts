import { writeFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { eventually, omni, startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

const folder = temporaryFolder();
const spec = join(folder.path, "omni.yaml");
const state = join(folder.path, "state");
const ADMIN = "sk-of-the-owner-0123456789";
const GUEST = "sk-of-a-guest-0123456789";

const specWith = (aliases: string): string => `omni: 1
models: { demo: builtin:omni-demo }
services:
  first: { model: demo, engine: embedded, parallel: 2 }
  second: { model: demo, engine: embedded, parallel: 2 }
routes:
  chat: { services: [first, second], aliases: [${aliases}] }
gateway: { workers: 2 }
keys:
  owner: { env: OMNI_TEST_OWNER, admin: true }
  guest: { env: OMNI_TEST_GUEST, routes: [chat], limits: { requestsPerMinute: 12 } }
`;

let node: RunningNode;
const clientOf = (apiKey: string): OpenAI => new OpenAI({ baseURL: `${node.url}/v1`, apiKey, maxRetries: 0 });
/** The likeliest words: the second one is another in one of twenty answers that are drawn. */
const asked = {
  model: "chat",
  max_tokens: 4,
  temperature: 0,
  messages: [{ role: "user" as const, content: "What is Omni?" }],
};

interface Status {
  readonly workers: readonly number[];
  readonly traffic: Readonly<Record<string, { readonly attempts: number; readonly inFlight: number }>>;
}

const status = async (): Promise<Status> => {
  const answer = await fetch(`${node.url}/api/status`, { headers: { authorization: `Bearer ${ADMIN}` } });
  const told: Status = JSON.parse(await answer.text());
  return told;
};

beforeAll(async () => {
  vi.stubEnv("OMNI_TEST_OWNER", ADMIN);
  vi.stubEnv("OMNI_TEST_GUEST", GUEST);
  vi.stubEnv("OMNI_API_KEY", ADMIN);
  writeFileSync(spec, specWith("gpt-4o"));
  node = await startNode([spec], state);
}, 120_000);

afterAll(async () => {
  await node?.interrupt();
  vi.unstubAllEnvs();
  folder.remove();
});

describe("a node whose port several processes serve", () => {
  it("keeps one limit over all of them, and tells one sum", async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, () => clientOf(GUEST).chat.completions.create(asked)),
    );
    const refused = answers.flatMap((one) =>
      one.status === "rejected" && one.reason instanceof OpenAI.RateLimitError ? [one.reason] : [],
    );
    // A process may keep a tenth at hand that it does not use; a bucket of twelve refills by one in five seconds.
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(10);
    expect(answers.length - refused.length).toBeLessThanOrEqual(16);
    expect(Number(refused[0]?.headers?.get("retry-after"))).toBeGreaterThan(0);
    const { workers, traffic } = await status();
    expect(workers).toHaveLength(2);
    const sum = (traffic["first"]?.attempts ?? 0) + (traffic["second"]?.attempts ?? 0);
    expect(sum).toBe(answers.length - refused.length);
    const metrics = await (await fetch(`${node.url}/metrics`)).text();
    const counted = [...metrics.matchAll(/^omni_requests_total\{.*code="200"\} (\d+)$/gm)];
    expect(counted.reduce((total, [, value]) => total + Number(value), 0)).toBe(sum);
    expect(metrics).not.toContain("guest");
  });

  it("outlives one of them", async () => {
    const before = await status();
    const [victim = 0] = before.workers;
    process.kill(victim, "SIGKILL");
    await eventually(async () => {
      const now = await status().catch(() => undefined);
      return now?.workers.length === 2 && !now.workers.includes(victim);
    });
    for (let i = 0; i < 8; i++) {
      const { choices } = await clientOf(ADMIN).chat.completions.create(asked);
      expect(choices[0]?.message.content).toBe("Omni is the so");
    }
    const events = await omni(["events", "--json"], state);
    expect(events.stdout).toContain("gateway.worker-died");
    expect(Object.values((await status()).traffic).every(({ inFlight }) => inFlight === 0)).toBe(true);
  });

  it("goes on with a conversation that another process answered", async () => {
    let previous: string | undefined;
    for (let turn = 0; turn < 6; turn++) {
      const answer = await clientOf(ADMIN).responses.create({
        model: "chat",
        input: "What is Omni?",
        max_output_tokens: 4,
        ...(previous === undefined ? {} : { previous_response_id: previous }),
      });
      expect(answer.usage?.input_tokens).toBeGreaterThan(turn === 0 ? 0 : 12);
      previous = answer.id;
    }
    const guest = clientOf(GUEST).responses.retrieve(previous ?? "");
    await expect(guest).rejects.toThrow(/404|429/);
  });

  it("works off a batch", async () => {
    const client = clientOf(ADMIN);
    const lines = Array.from({ length: 12 }, (_, i) =>
      JSON.stringify({ custom_id: `n${i}`, method: "POST", url: "/v1/chat/completions", body: asked }),
    );
    const file = await client.files.create({
      file: new File([lines.join("\n")], "in.jsonl"),
      purpose: "batch",
    });
    const { id } = await client.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    await eventually(async () => (await client.batches.retrieve(id)).status === "completed");
    const { output_file_id: output, request_counts: counts } = await client.batches.retrieve(id);
    expect(counts).toMatchObject({ completed: 12, failed: 0 });
    const answers = (await (await client.files.content(output ?? "")).text()).trimEnd().split("\n");
    expect(new Set(answers.map((line) => JSON.parse(line).custom_id)).size).toBe(12);
  });

  it("takes over its spec anew under a running stream", async () => {
    const stream = await clientOf(ADMIN).chat.completions.create({ ...asked, max_tokens: 60, stream: true });
    writeFileSync(spec, specWith("gpt-4o, claude"));
    const reloaded = await omni(["reload"], state);
    expect(reloaded).toMatchObject({ code: 0, stderr: "" });
    let finish: string | null = null;
    for await (const { choices } of stream) finish = choices[0]?.finish_reason ?? finish;
    expect(finish).toBe("stop");
    await eventually(async () => {
      const answer = await clientOf(ADMIN)
        .chat.completions.create({ ...asked, model: "claude" })
        .catch(() => undefined);
      return answer !== undefined;
    });
    writeFileSync(spec, `${specWith("gpt-4o")}nonsense: 1\n`);
    const wrong = await omni(["reload"], state);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("nonsense");
    expect((await clientOf(ADMIN).chat.completions.create(asked)).choices).toHaveLength(1);
  });
});
