import { writeFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { noPostgres, PASSWORD, startPostgres } from "../fakes/postgres-server.ts";
import type { PostgresServer } from "../fakes/postgres-server.ts";
import { eventually, omni, startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

const missing = noPostgres();
const folder = temporaryFolder();
const spec = join(folder.path, "omni.yaml");
const OWNER = "sk-of-the-owner-0123456789";
const asked = {
  model: "demo",
  max_tokens: 4,
  messages: [{ role: "user" as const, content: "What is Omni?" }],
};

let postgres: PostgresServer | undefined;
const nodes: RunningNode[] = [];
const [first, second] = [join(folder.path, "first"), join(folder.path, "second")];

const ask = (node: RunningNode | undefined, apiKey: string): Promise<number> =>
  new OpenAI({ baseURL: `${node?.url}/v1`, apiKey, maxRetries: 0 }).chat.completions.create(asked).then(
    () => 200,
    (thrown: unknown) => (thrown instanceof OpenAI.APIError ? (thrown.status ?? 0) : 0),
  );

describe.skipIf(missing !== undefined)(
  `two nodes over one PostgreSQL${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    beforeAll(async () => {
      postgres = await startPostgres();
      vi.stubEnv("OMNI_TEST_OWNER", OWNER);
      vi.stubEnv("OMNI_TEST_POSTGRES", postgres.url);
      writeFileSync(
        spec,
        `omni: 1
models: { demo: builtin:omni-demo }
gateway: { store: { postgres: { env: OMNI_TEST_POSTGRES } } }
keys: { owner: { env: OMNI_TEST_OWNER, admin: true } }
`,
      );
      nodes.push(await startNode([spec], first), await startNode([spec], second));
    }, 180_000);

    afterAll(async () => {
      await Promise.all(nodes.map((node) => node.interrupt()));
      await postgres?.remove();
      vi.unstubAllEnvs();
      folder.remove();
    });

    it("have the same keys, limits and usage", async () => {
      const created = await omni(
        ["keys", "create", "team", "--requests-per-minute", "10", "--spec", spec, "--json"],
        first,
      );
      expect(created.code).toBe(0);
      const { secret }: { secret: string } = JSON.parse(created.stdout);
      await eventually(async () => (await ask(nodes[1], secret)) === 200);
      const statuses = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(nodes[i % 2], secret)));
      const served = statuses.filter((status) => status === 200).length;
      expect(new Set(statuses)).toEqual(new Set([200, 429]));
      expect(served).toBeGreaterThanOrEqual(6);
      expect(served).toBeLessThanOrEqual(12);
      await eventually(async () => {
        const usage = await omni(["keys", "usage", "team", "--spec", spec, "--json"], second);
        return usage.stdout.includes(`"requests": ${served + 1}`);
      });
      const revoked = await omni(["keys", "revoke", "team", "--spec", spec], second);
      expect(revoked.code).toBe(0);
      await eventually(async () => (await ask(nodes[0], secret)) === 401);
    });

    it("serve on while the database is away, and never repeat its password", async () => {
      await postgres?.kill();
      expect(await ask(nodes[0], OWNER)).toBe(200);
      expect(await ask(nodes[1], "sk-that-nobody-knows")).toBe(401);
      await postgres?.start();
      const told = nodes.map((node) => node.stdout() + node.stderr()).join("\n");
      expect(told).not.toContain(PASSWORD);
      expect(await ask(nodes[1], OWNER)).toBe(200);
    });
  },
);
