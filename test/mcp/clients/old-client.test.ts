import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveHttp } from "../fixture/serve-http.ts";
import { World } from "../fixture/world.ts";
import { startGateway } from "../harness/start.ts";
import type { RunningGateway } from "../harness/start.ts";
import { STDIO_GATEWAY } from "../harness/stdio-command.ts";
import { INSTALLED, NEEDS, SUITES } from "../suites.ts";

/** A tour of the old client, as what it printed. */
async function tour(...way: readonly string[]) {
  const { stdout } = await promisify(execFile)(process.execPath, [SUITES.oldClient, ...way]);
  return JSON.parse(stdout);
}

/** What the tour finds, whichever way it takes. */
const FOUND = {
  capabilities: ["completions", "logging", "prompts", "resources", "tools"],
  lists: {
    resources: ["test://static-text", "test://static-binary", "test://watched-resource"],
    templates: ["test://template/{id}/data"],
    prompts: [
      "test_input_required_result_prompt",
      "test_prompt_with_arguments",
      "test_prompt_with_embedded_resource",
      "test_prompt_with_image",
      "test_simple_prompt",
    ],
  },
  calls: {
    echo: "grüße 👋",
    mixed: ["text", "image", "resource"],
    structured: { fahrenheit: 212 },
    error: [true, "This tool intentionally returns an error for testing"],
    progressed: "Progress was told three times.",
    logged: "Three messages were logged.",
    elicited: 'User response: action=accept, content={"username":"ada","email":"ada@example.com"}',
    sampled: "LLM response: Paris",
    cancelled: { message: expect.stringContaining("enough") },
    resource: '{"id":"7","templateTest":true,"data":"Data for ID: 7"}',
    missing: { code: -32_602 },
    prompt: "Prompt with arguments: arg1='a', arg2='b'",
    completion: ["paris", "park", "party"],
  },
  changes: { dynamicToolListed: true },
  seen: {
    /** As it came, before the client made anything of it. */
    arrived: ["0/100", "50/100", "100/100"],
    progress: ["0/100", "50/100", "100/100"],
    logs: ["Tool execution started", "Tool processing data", "Tool execution completed"],
    updated: ["test://watched-resource"],
    changed: expect.arrayContaining(["tools", "prompts"]),
    elicited: ["Who are you?"],
    sampled: ["Capital of France?"],
  },
};

describe.skipIf(!INSTALLED)(`a client of the SDK before its second version ${NEEDS}`, () => {
  const world = new World();
  let fixture: Awaited<ReturnType<typeof serveHttp>> | undefined;
  let gateway: RunningGateway | undefined;
  beforeAll(async () => {
    fixture = await serveHttp(world);
    gateway = await startGateway({ behind: { url: `http://127.0.0.1:${fixture.port}/mcp` } });
  });
  afterAll(async () => {
    await gateway?.close();
    await fixture?.close();
  });

  test("finds everything through the gateway, over Streamable HTTP with a session", async () => {
    const found = await tour("http", `${gateway?.url}/mcp`);
    expect(found).toMatchObject({ ...FOUND, session: true });
    expect(found.lists.tools).toHaveLength(33);
    // It ended its session; nobody else had one.
    expect((await gateway?.look())?.sessions).toBe(0);
  });

  test("finds everything through the gateway, over HTTP with SSE", async () => {
    // This client drops what tells of progress where it arrives in one piece with the answer, as the last one does.
    const progress = expect.arrayContaining(["0/100"]);
    const found = await tour("sse", `${gateway?.url}/sse`);
    expect(found).toMatchObject({ ...FOUND, seen: { ...FOUND.seen, progress } });
  });

  test("finds everything through the gateway, over stdio", async () => {
    // As over SSE: the last of the progress may come in one piece with the answer, and is dropped by this client then.
    const progress = expect.arrayContaining(["0/100", "50/100"]);
    const found = await tour("stdio", ...STDIO_GATEWAY);
    expect(found).toMatchObject({ ...FOUND, seen: { ...FOUND.seen, progress } });
  });

  test("a call that it cancels is cancelled at the server, too", async () => {
    await expect.poll(() => world.cancelled).toBe(2);
  });
});
