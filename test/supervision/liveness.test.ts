import { afterEach, describe, expect, test } from "vitest";
import type { Lifecycle } from "../../src/plan/plan.ts";
import { POLICIES } from "../../src/supervisor/policies.ts";
import { eventually } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import { fakeService } from "../fakes/fake-driver.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

const QUICK = { livenessEvery: 40, loadEvery: 40, workEvery: 100, workTimeout: 1500, killGrace: 500 };
const LIFECYCLE: Lifecycle = {
  priority: 5,
  pinned: false,
  after: [],
  drainTimeout: 1000,
  warmUp: true,
  strategy: "recreate",
};

let node: Supervised;
afterEach(() => node.end());

const view = () => node.supervisor.services()[0];
const tell = (path: string) => ask(node.supervisor.address("oracle"), path);
const event = (kind: string) => node.events.events.find((one) => one.kind === kind);

async function serve(...args: Parameters<typeof supervise>): Promise<void> {
  node = supervise(...args);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(true);
}

/** It was ended for that reason and is back. */
async function isBack(kind: string): Promise<void> {
  await eventually(`${kind} is told`, () => event(kind) !== undefined);
  await eventually("it is back", () => view()?.state === "ready" && view()?.restarts === 1);
}

describe("an engine whose health is good", () => {
  test("but that answers no request for a token any more is ended and started again", async () => {
    await serve([fakeService("oracle")], { timing: QUICK });
    await tell("/probe-as?how=silent");
    await isBack("service.stalled");
    expect(event("service.stalled")?.message).toContain("2 requests for one token had no answer");
  });

  test("but that answers with nonsense is ended and started again", async () => {
    await serve([fakeService("oracle")], { timing: QUICK });
    await tell("/probe-as?how=wrong");
    await isBack("service.wrong-answer");
    expect(event("service.wrong-answer")?.message).toContain("it answered 200 with {}");
  });

  test("but that has work waiting and makes no progress is ended and started again", async () => {
    const policies = { ...POLICIES, watch: { ...POLICIES.watch, stall: 300 } };
    await serve([fakeService("oracle")], { timing: QUICK, policies });
    await tell("/work?running=1&waiting=3&progress=7");
    await eventually("the figures are seen", () => view()?.load?.waiting === 3);
    await isBack("service.stalled");
    expect(event("service.stalled")?.message).toMatch(/1 running, 3 waiting\) and made no progress for/);
  });

  test("whose core says in the log that it is dead is ended at once", async () => {
    await serve([fakeService("oracle")]);
    await tell("/say?line=EngineDeadError");
    await isBack("service.core-dead");
    expect(event("service.core-dead")?.message).toBe("oracle is ended by Omni. Its core died.");
  });

  test("and that works for somebody is asked for nothing", async () => {
    await serve([fakeService("oracle")], { timing: QUICK });
    await tell("/probe-as?how=silent");
    const lease = node.supervisor.acquire("oracle");
    const looks = performance.now() + 600;
    await eventually("time passes", () => performance.now() > looks);
    expect(view()).toMatchObject({ state: "ready", restarts: 0, inFlight: 1 });
    lease?.release();
    await isBack("service.stalled");
  });
});

describe("a first request of Omni's own", () => {
  test("comes before those of clients", async () => {
    await serve([fakeService("oracle", {}, { lifecycle: LIFECYCLE })]);
    expect(event("service.ready")).toBeDefined();
  });

  test("without an answer is a failed start, that counts", async () => {
    const service = fakeService("oracle", { probe: "wrong" }, { lifecycle: LIFECYCLE });
    node = supervise([{ ...service, restart: { ...service.restart, restarts: 0 } }], { timing: QUICK });
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(false);
    expect(view()?.reason).toContain("says that it is ready, but does not answer a request for one token");
    expect(node.events.kinds()).not.toContain("service.ready");
  });
});
