import { readdirSync } from "node:fs";
import { join } from "node:path";

import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { PATIENT } from "../simulation/simulated.ts";
import { ImageNode, sizeOf, workflowIn } from "./image-node.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==",
  "base64",
);

/** Fields that OpenAI's own API does not have. */
const extensions = (fields: object): object => fields;

describe("a ComfyUI that is ready", () => {
  let node: ImageNode;
  let client: OpenAI;
  beforeAll(async () => {
    node = await new ImageNode().open();
    client = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: "ada", maxRetries: 0 });
  });
  afterAll(() => node[Symbol.asyncDispose]());
  beforeEach(() => {
    node.broken.length = 0;
  });

  const post = async (
    path: string,
    body: unknown,
  ): Promise<{ status: number; error: Record<string, unknown> }> => {
    const answer = await fetch(`${node.url}/v1/images/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...JSON.parse(await answer.text()) };
  };

  test("the official client gets images as the workflow makes them of its request", async () => {
    const prompt = 'a "cat" {{seed}} \\ \n", "inputs": {';
    const answer = await client.images.generate({
      model: "flux",
      prompt,
      n: 2,
      size: "128x64",
      quality: "high",
      ...extensions({ seed: 41, negative_prompt: "dogs" }),
    });
    const images = (answer.data ?? []).map(({ b64_json: data }) => Buffer.from(data ?? "", "base64"));
    expect(images.map(sizeOf)).toEqual(["128x64", "128x64"]);
    const [first, second] = images.map(workflowIn);
    // Values have their types, a text around a placeholder stays, and what a prompt holds is never read again.
    expect(first?.["3"]?.inputs).toMatchObject({ seed: 41, steps: 12, cfg: 7 });
    expect(second?.["3"]?.inputs).toMatchObject({ seed: 42 });
    expect(first?.["5"]?.inputs).toEqual({ width: 128, height: 64, batch_size: 1 });
    expect(first?.["6"]?.inputs["text"]).toBe(`masterpiece, ${prompt}`);
    expect(first?.["7"]?.inputs["text"]).toBe("dogs");
    expect(answer).toMatchObject({ output_format: "png", size: "128x64", quality: "high" });
    // Neither a lease nor the prompt in ComfyUI's history is left.
    expect(node.leases).toBe(0);
    await expect.poll(() => node.queue(), PATIENT).toEqual({ running: 0, waiting: 0, kept: 0 });
  });

  test("what a request leaves open comes from the template, the seed from chance", async () => {
    const ask = async (): Promise<Record<string, { readonly inputs: Record<string, unknown> }>> => {
      const answer = await client.images.generate({ model: "flux", prompt: "a cat", size: "auto" });
      return workflowIn(Buffer.from(answer.data?.[0]?.b64_json ?? "", "base64"));
    };
    const [one, other] = [await ask(), await ask()];
    expect(one["3"]?.inputs["steps"]).toBe(8);
    expect(one["5"]?.inputs).toMatchObject({ width: 64, height: 48 });
    expect(one["7"]?.inputs["text"]).toBe("blurry");
    expect(one["3"]?.inputs["seed"]).not.toBe(other["3"]?.inputs["seed"]);
  });

  test("a stream: partial images evenly over the steps, then each image whole", async () => {
    const stream = await client.images.generate({
      model: "flux",
      prompt: "a cat",
      n: 2,
      stream: true,
      partial_images: 2,
    });
    const seen: string[] = [];
    for await (const event of stream) {
      expect(Buffer.from(event.b64_json, "base64").subarray(1, 4).toString()).toBe("PNG");
      seen.push(
        event.type === "image_generation.partial_image" ? `part ${event.partial_image_index}` : event.type,
      );
    }
    const one = ["part 0", "part 1", "image_generation.completed"];
    expect(seen).toEqual([...one, ...one]);
  });

  test("an edit by a form and by JSON: image and mask are uploaded and named", async () => {
    const answer = await client.images.edit({
      model: "flux-edit",
      prompt: "a hat",
      image: await toFile(PNG, "in.png", { type: "image/png" }),
      mask: await toFile(PNG, "mask.png", { type: "image/png" }),
    });
    const made = workflowIn(Buffer.from(answer.data?.[0]?.b64_json ?? "", "base64"));
    expect(made["1"]?.inputs["image"]).toMatch(/^omni\/[0-9a-f-]{36}-image\.png \[temp\]$/);
    expect(made["2"]?.inputs["image"]).toMatch(/^omni\/[0-9a-f-]{36}-mask\.png \[temp\]$/);
    const image = `data:image/png;base64,${PNG.toString("base64")}`;
    const bare = await fetch(`${node.url}/v1/images/edits`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "flux-edit", prompt: "a hat", images: [{ image_url: image }] }),
    });
    const { data } = JSON.parse(await bare.text());
    const second = workflowIn(Buffer.from(data[0].b64_json, "base64"));
    // Without a mask the image's own transparency is it.
    expect(second["2"]?.inputs["image"]).toBe(second["1"]?.inputs["image"]);
  });

  test("an answer by url is served for a while, and only by its whole name", async () => {
    const answer = await client.images.generate({ model: "flux", prompt: "a cat", response_format: "url" });
    const url = answer.data?.[0]?.url ?? "";
    expect(url).toMatch(new RegExp(`^${node.url}/v1/images/files/img-[0-9a-f]{48}\\.png$`));
    const got = await fetch(url);
    expect([got.status, got.headers.get("content-type"), got.headers.get("x-content-type-options")]).toEqual([
      200,
      "image/png",
      "nosniff",
    ]);
    expect(sizeOf(Buffer.from(await got.arrayBuffer()))).toBe("64x48");
    expect((await fetch(`${node.url}/v1/images/files/img-${"0".repeat(48)}.png`)).status).toBe(404);
    expect((await fetch(`${node.url}/v1/images/files/..%2f..%2fetc%2fpasswd`)).status).toBe(404);
    node.now += 120_000;
    expect((await fetch(url)).status).toBe(404);
    await client.images.generate({ model: "flux", prompt: "a cat", response_format: "url" });
    expect(readdirSync(join(node.folder, "images"))).toHaveLength(1);
  });

  test.each([
    ["generations", { prompt: "" }, 400, "invalid_value", "prompt"],
    ["generations", { prompt: "x".repeat(32_001) }, 400, "invalid_value", "prompt"],
    ["generations", { n: 11 }, 400, "invalid_value", "n"],
    ["generations", { n: 0 }, 400, "invalid_value", "n"],
    ["generations", { size: "100x100" }, 400, "invalid_size", "size"],
    ["generations", { size: "8192x64" }, 400, "invalid_size", "size"],
    ["generations", { output_format: "webp" }, 400, "unsupported_format", "output_format"],
    ["generations", { model: "fluks" }, 404, "model_not_found", "model"],
    ["generations", { model: "flux-edit" }, 400, "not_in_workflow", "image"],
    ["generations", { model: undefined }, 400, "model_required", "model"],
    ["edits", { image: PNG.toString("base64") }, 400, "not_in_workflow", "image"],
    ["edits", { model: "flux-edit", image: "http://10.0.0.1/secret.png" }, 400, "invalid_image", "image"],
    [
      "edits",
      { model: "flux-edit", image: Buffer.from("no image!").toString("base64") },
      400,
      "invalid_image",
      "image",
    ],
    ["edits", { model: "flux-edit" }, 400, "invalid_image", "image"],
  ])("%s refuses what cannot be made, %#", async (path, body, status, code, param) => {
    const answer = await post(path, { model: "flux", prompt: "a cat", ...body });
    expect(answer).toMatchObject({ status, error: { code, param } });
  });

  test("a client that leaves interrupts what runs and takes back what waits, and nothing of others", async () => {
    await node.engine?.send("POST", "/simulate/fault", { name: "slow", tokensPerSecond: 5 });
    const left = new AbortController();
    const asks = [1, 2].map((seed) =>
      client.images
        .generate({ model: "flux", prompt: "a cat", ...extensions({ seed }) }, { signal: left.signal })
        .catch((thrown: unknown) => String(thrown)),
    );
    await expect.poll(() => node.queue(), PATIENT).toMatchObject({ running: 1, waiting: 1 });
    const stays = client.images.generate({ model: "flux", prompt: "stays" });
    await expect.poll(() => node.queue(), PATIENT).toMatchObject({ running: 1, waiting: 2 });
    left.abort();
    expect(await Promise.all(asks)).toEqual(["Error: Request was aborted.", "Error: Request was aborted."]);
    await node.engine?.send("POST", "/simulate/fault", { name: "heal" });
    const made = workflowIn(Buffer.from((await stays).data?.[0]?.b64_json ?? "", "base64"));
    expect(made["6"]?.inputs["text"]).toBe("masterpiece, stays");
    await expect.poll(() => node.queue(), PATIENT).toEqual({ running: 0, waiting: 0, kept: 0 });
    expect(node.leases).toBe(0);
  });

  test("out of memory once: its models were unloaded, and the second try is whole", async () => {
    await node.engine?.send("POST", "/simulate/fault", { name: "oom-at-run", requests: 1 });
    const answer = await client.images.generate({ model: "flux", prompt: "a cat" });
    expect(answer.data).toHaveLength(1);
    expect(node.events.latest(1)[0]).toMatchObject({ kind: "request.retried", service: "images" });
    expect(node.events.latest(1)[0]?.message).toContain("The card's memory did not suffice at node 9");
  });

  test("an engine that dies in the middle is asked again when it is back, with the same seed", async () => {
    await node.engine?.send("POST", "/simulate/fault", { name: "slow", tokensPerSecond: 5 });
    const ask = client.images.generate({ model: "flux", prompt: "a cat", ...extensions({ seed: 7 }) });
    await expect.poll(() => node.queue(), PATIENT).toMatchObject({ running: 1 });
    node.set("backing-off");
    node.engine?.signal("SIGKILL");
    await node.engine?.exited;
    await node.start();
    node.set("ready");
    const made = workflowIn(Buffer.from((await ask).data?.[0]?.b64_json ?? "", "base64"));
    expect(made["3"]?.inputs["seed"]).toBe(7);
    expect(node.broken).toHaveLength(1);
    expect(node.leases).toBe(0);
  });

  test("a service that is not loaded is loaded for the request, and its stream hears so", async () => {
    node.set("unloaded");
    const before = node.demands;
    node.onDemand = () => void setTimeout(() => node.set("ready"), 1500);
    const answer = await fetch(`${node.url}/v1/images/generations`, {
      method: "POST",
      body: JSON.stringify({ model: "flux", prompt: "a cat", stream: true, partial_images: 0 }),
    });
    const text = await answer.text();
    expect(node.demands).toBe(before + 1);
    expect(text).toContain(': waiting: "images" is unloaded');
    expect(text).toContain("event: image_generation.completed\n");
  });
});

test("bounds in time: waiting for a service, a workflow, and the node's own end", async () => {
  await using node = await new ImageNode().open({ loadingWait: 50, runTime: 300, requests: 2 }, 2);
  const ask = async (body: object = {}): Promise<string> => {
    const answer = await fetch(`${node.url}/v1/images/generations`, {
      method: "POST",
      body: JSON.stringify({ model: "flux", prompt: "a cat", ...body }),
    });
    return `${answer.status} ${/"code":"(\w+)"/.exec(await answer.text())?.[1] ?? ""}`;
  };
  expect(await ask()).toBe("504 workflow_timeout");
  await expect.poll(() => node.queue(), PATIENT).toEqual({ running: 0, waiting: 0, kept: 0 });
  node.set("unloaded");
  expect(await ask()).toBe("503 model_loading");
  node.set("ready");
  const open = [ask(), ask()];
  await expect.poll(() => node.leases, PATIENT).toBe(2);
  expect(await ask()).toBe("429 queue_full");
  node.stopping.abort();
  expect(await Promise.all(open)).toEqual(["503 node_stopping", "503 node_stopping"]);
  expect(await ask()).toBe("503 node_stopping");
  expect(node.leases).toBe(0);
});
