import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { eventually } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import { kubernetesBench } from "./kubernetes-bench.ts";

const bench = kubernetesBench();

describe.skipIf(process.platform !== "linux")("the API server", () => {
  test("away and back again is told once, and no engine is dead for it", async () => {
    const { cluster, startReady, notes } = bench();
    const unit = await startReady();
    let ended = false;
    void unit.exited.then(() => (ended = true));
    await cluster.away();
    await eventually("the owner is told", () => notes.some((note) => note.includes("is not heard of (pods")));
    await sleep(300);
    expect(ended).toBe(false);
    await cluster.back();
    await eventually("the owner is told of the end", () =>
      notes.some((note) => note.includes("answers again (pods)")),
    );
    expect(notes.filter((note) => note.includes("is not heard of (pods"))).toHaveLength(1);
    await ask(unit.address, "/say?line=still-there");
    await eventually("the log goes on", () => unit.lastLines().some((line) => line.includes("still-there")));
    expect(await unit.stop(5000)).toEqual({ code: 0, signal: null });
  });

  test("streams that are cut go on where they were: no line is lost or doubled, no engine ends", async () => {
    const { cluster, startReady } = bench();
    const unit = await startReady();
    for (let round = 0; round < 6; round++) {
      for (let n = 0; n < 4; n++) await ask(unit.address, `/say?line=word-${round}-${n}.`);
      cluster.cutStreams();
    }
    await eventually("the last word is there", () =>
      unit.lastLines().some((line) => line.includes("word-5-3.")),
    );
    const words = unit.lastLines().map((line) => /word-\d-\d/.exec(line)?.[0] ?? line);
    expect(words).toEqual(Array.from({ length: 24 }, (_, n) => `word-${Math.floor(n / 4)}-${n % 4}`));
  });

  test.each([true, false])(
    "a version that is too old lists anew (told in the stream: %s)",
    async (inStream) => {
      const { cluster, start } = bench();
      cluster.watches.goneInStream = inStream;
      const unit = await start();
      cluster.store.compact();
      const lists = (): number =>
        cluster.requests.filter(({ path, query }) => path.endsWith("/pods") && query["watch"] === undefined)
          .length;
      const before = lists();
      cluster.watches.endAll();
      await eventually("the pods are listed again", () => lists() > before);
      const [pod] = cluster.pods();
      cluster.kubelet.outOfMemory(pod?.metadata.name ?? "");
      expect(await unit.exited).toEqual({ code: 137, signal: null });
    },
  );

  test("a bookmark moves the version from which the next watch begins", async () => {
    const { cluster, start } = bench();
    await start();
    cluster.store.version += 1000;
    cluster.watches.bookmark();
    const version = `${cluster.store.version}`;
    await sleep(50);
    cluster.watches.endAll();
    const begun = (): string[] =>
      cluster.requests.flatMap(({ path, query }) =>
        path.endsWith("/pods") ? [query["resourceVersion"] ?? ""] : [],
      );
    await eventually("the next watch begins", () => begun().length >= 3);
    expect(begun().at(-1)).toBe(version);
  });

  test("all engines share one watch a kind, and idle ones ask nothing", async () => {
    const { cluster, start } = bench();
    await start();
    await eventually("it watches", () => cluster.watches.open() === 3);
    expect([
      cluster.watches.open("pods"),
      cluster.watches.open("events"),
      cluster.watches.open("deployments"),
    ]).toEqual([1, 1, 1]);
    await sleep(100);
    const before = cluster.requests.length;
    await sleep(500);
    expect(cluster.requests).toHaveLength(before);
  });

  test("without the right to read events or logs it still runs, and says what is missing", async () => {
    const { cluster, startReady, notes } = bench();
    cluster.denied.add("list events");
    cluster.denied.add("get pods/log");
    const unit = await startReady();
    await eventually("both are told", () => notes.length >= 2);
    expect(notes.join("\n")).toContain('resources: ["events"], verbs: ["list", "watch"]');
    expect(notes.join("\n")).toContain('resources: ["pods/log"], verbs: ["get"]');
    expect(await unit.stop(5000)).toEqual({ code: 0, signal: null });
  });
});

describe.skipIf(process.platform !== "linux")("reaching an engine", () => {
  const healthy = async (path: string, times: number): Promise<readonly (number | undefined)[]> => {
    const { cluster, startReady } = bench();
    const unit = await startReady();
    cluster.requests.length = 0;
    return Promise.all(Array.from({ length: times }, () => ask(unit.address, path)));
  };

  test("many connections at once, each through a forward of its own", async () => {
    expect(await healthy("/health", 30)).toEqual(Array.from({ length: 30 }, () => 200));
    const forwards = bench().cluster.requests.filter(({ path }) => path.endsWith("/portforward"));
    expect(forwards.length).toBeGreaterThanOrEqual(30);
  });

  test("where port-forward is forbidden, the API server's proxy is used and the rule is told", async () => {
    const { cluster, startReady } = bench();
    cluster.denied.add("create pods/portforward");
    const unit = await startReady();
    cluster.requests.length = 0;
    expect(await ask(unit.address, "/health")).toBe(200);
    expect(await ask(unit.address, "/health")).toBe(200);
    expect(unit.lastLines().filter((line) => line.includes('resources: ["pods/portforward"]'))).toHaveLength(
      1,
    );
    expect(
      cluster.requests.filter(({ path }) => path.endsWith("/proxy/health")).length,
    ).toBeGreaterThanOrEqual(2);
  });

  test("a port that was asked for is taken when it is free, and nobody listens there after the end", async () => {
    const { runtime, start } = bench();
    const free = await runtime.allocate("other", { socket: false });
    if (free.kind !== "tcp") throw new Error("a port was expected");
    await runtime.close();
    const wanted = await runtime.allocate("oracle", { socket: false, port: free.port });
    expect(wanted).toEqual(free);
    expect(await ask(wanted, "/health")).toBeUndefined();
    const unit = await start();
    await unit.stop(0);
    expect(await ask(unit.address, "/health")).toBeUndefined();
  });
});
