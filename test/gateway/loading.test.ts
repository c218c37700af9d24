import { describe, expect, it } from "vitest";

import { chatBody, startGateway, until } from "../fakes/gateway-under-test.ts";

const CHAT = "/v1/chat/completions";
const LATE = [{ name: "a", start: false }];

describe("a request for a model that is not loaded", () => {
  it("is a demand as long as it waits, and is answered once the model is there", async () => {
    await using node = await startGateway(LATE);
    node.backends.set("a", "unloaded");
    node.backends.onDemand = () => void node.backends.start("a");
    const answer = await node.chat("hello");
    expect(answer.status).toBe(200);
    expect(node.backends.demands).toEqual([["a"]]);
    expect(node.backends.withdrawn).toBe(1);
  });

  it("gets 503 with Retry-After, progress and time left at once where the client does not want to wait", async () => {
    await using node = await startGateway(LATE);
    node.backends.set("a", "loading", { progress: 0.4, eta: 12_400 });
    const answer = await node.post(CHAT, chatBody("hello"), { prefer: "respond-async, wait=0" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "13"]);
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: "model_loading",
      message: 'No service of "a" is ready: "a" is loading (40 %, about 13.0 s left).',
      loading: { service: "a", state: "loading", progress: 0.4, eta_seconds: 13 },
    });
    // It is loaded for the next request all the same.
    expect(node.backends.demands).toEqual([["a"]]);
    expect(node.backends.withdrawn).toBe(1);
    await until(() => node.backends.waiting === 0);
  });

  it("hears in comments how far the loading is when it streams, and then its answer", async () => {
    await using node = await startGateway(LATE, [], { limits: { silentWait: 50 } });
    node.backends.set("a", "loading", { progress: 0.5, reason: "two\nlines" });
    const pending = node.chat("one two three", { stream: true });
    await until(() => node.backends.waiting === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await node.backends.start("a");
    const answer = await pending;
    const [comment, ...events] = answer.text.trimEnd().split("\n\n");
    expect(comment).toBe(': waiting: "a" is loading (50 %), two lines');
    expect(events.at(-1)).toBe("data: [DONE]");
    expect(events.every((event) => event.startsWith("data: "))).toBe(true);
    expect(answer.headers["content-type"]).toContain("text/event-stream");
  });

  it("hears as an error event what a refusal would have said, once the head is sent", async () => {
    await using node = await startGateway(LATE, [], { limits: { silentWait: 20, loadingWait: 200 } });
    node.backends.set("a", "loading");
    const answer = await node.chat("x", { stream: true });
    expect(answer.status).toBe(200);
    const last = answer.text.trimEnd().split("\n\n").at(-1) ?? "";
    expect(JSON.parse(last.slice("data: ".length)).error).toMatchObject({ code: "model_loading" });
    expect(answer.text).not.toContain("[DONE]");
  });

  it("hears an engine's own refusal as an event, once the head is sent", async () => {
    await using node = await startGateway(
      [{ name: "a", start: false, environment: { FAKE_ORDERS: "[400]" } }],
      [],
      { limits: { silentWait: 20 } },
    );
    node.backends.set("a", "loading");
    const pending = node.chat("x", { stream: true });
    await until(() => node.backends.waiting === 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await node.backends.start("a");
    const last = (await pending).text.trimEnd().split("\n\n").at(-1) ?? "";
    expect(JSON.parse(last.slice("data: ".length))).toHaveProperty("error");
  });
});

describe("leases", () => {
  it("are held while an answer is under way, and given back however it ends", async () => {
    await using node = await startGateway([{ name: "a", restartAfter: 50 }]);
    const slow = node.chat("x [slow 300]");
    await until(() => node.backends.leased("a") === 1);
    expect((await slow).status).toBe(200);
    expect(node.backends.leased("a")).toBe(0);
    await node.chat("one two [die-after 1]", { stream: true });
    await until(() => node.backends.leased("a") === 0);
    const abort = new AbortController();
    const gone = fetch(node.url + CHAT, {
      method: "POST",
      body: JSON.stringify(chatBody("x [slow 5000]")),
      signal: abort.signal,
    }).catch(() => "gone");
    await until(() => node.backends.leased("a") === 1);
    abort.abort();
    expect(await gone).toBe("gone");
    await until(() => node.backends.leased("a") === 0);
  });
});

describe("a service that has stepped down", () => {
  it("has all its requests answered by who stands in", async () => {
    await using node = await startGateway([{ name: "a" }, { name: "b" }]);
    node.backends.diversions.set("a", { to: "b" });
    expect((await node.chat("hello")).headers["x-omni-service"]).toBe("b");
  });

  it("keeps short prompts and sends long ones away", async () => {
    await using node = await startGateway([{ name: "a" }, { name: "b" }]);
    node.backends.diversions.set("a", { to: "b", above: 100 });
    expect((await node.chat("hello")).headers["x-omni-service"]).toBe("a");
    expect((await node.chat("word ".repeat(200))).headers["x-omni-service"]).toBe("b");
  });

  it("does not go round in circles", async () => {
    await using node = await startGateway([{ name: "a" }, { name: "b" }]);
    node.backends.diversions.set("a", { to: "b" });
    node.backends.diversions.set("b", { to: "a" });
    expect((await node.chat("hello")).status).toBe(200);
  });
});
