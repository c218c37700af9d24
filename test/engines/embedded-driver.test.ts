import { afterEach, expect, test } from "vitest";
import { findEngineDriver } from "../../src/engines/index.ts";
import { Engine } from "../embedded/start-engine.ts";

const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

test(
  "the real embedded engine is understood: a token, a vector, figures that move",
  { timeout: 60_000 },
  async () => {
    const driver = findEngineDriver("embedded");
    const { probe, load } = driver ?? {};
    if (probe === undefined || load === undefined) throw new Error("It has neither probe nor figures.");
    const engine = new Engine({});
    engines.push(engine);
    await engine.ready();
    const figures = async () => load.read(JSON.stringify((await engine.get(load.request.path)).json));

    const before = await figures();
    expect(before).toEqual({
      running: 0,
      waiting: 0,
      kvUsed: 0,
      promptTokens: 0,
      generatedTokens: 0,
      progress: 0,
    });
    for (const task of [undefined, "embeddings"] as const) {
      const { path, body = "" } = probe.request({
        servedName: "tiny",
        ...(task === undefined ? {} : { task }),
      });
      const answer = await engine.post(path, body);
      expect(probe.fault(answer.status, JSON.stringify(answer.json))).toBeUndefined();
    }
    const after = await figures();
    expect(after.generatedTokens).toBe(1);
    expect(after.promptTokens).toBeGreaterThan(0);
    expect(after.progress).toBeGreaterThan(0);
  },
);
