import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveHttp } from "../fixture/serve-http.ts";
import { World } from "../fixture/world.ts";
import { startGateway } from "../harness/start.ts";
import type { RunningGateway } from "../harness/start.ts";
import { STDIO_GATEWAY } from "../harness/stdio-command.ts";
import { INSTALLED, NEEDS, SUITES } from "../suites.ts";

let fixture: Awaited<ReturnType<typeof serveHttp>> | undefined;
let gateway: RunningGateway | undefined;
beforeAll(async () => {
  fixture = await serveHttp(new World());
  gateway = await startGateway({ behind: { url: `http://127.0.0.1:${fixture.port}/mcp` } });
});
afterAll(async () => {
  await gateway?.close();
  await fixture?.close();
});

type Way = "http" | "sse" | "stdio";

/** One request of the Inspector's command line: what it printed as the result. Rejects with its error when it fails. */
async function inspect(way: Way, era: string, ...request: readonly string[]) {
  const target = { http: [`${gateway?.url}/mcp`], sse: [`${gateway?.url}/sse`], stdio: STDIO_GATEWAY }[way];
  const flags = [
    "--cli",
    "--transport",
    way,
    "--protocol-era",
    era,
    "--connect-timeout",
    "60000",
    "--format",
    "json",
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [
    SUITES.inspector,
    ...flags,
    "--method",
    ...request,
    "--",
    ...target,
  ]);
  return JSON.parse(stdout).result;
}

const names = (listed: readonly { name: string }[]): string[] => listed.map((one) => one.name);

describe.skipIf(!INSTALLED).each<{ way: Way; era: string }>([
  { way: "http", era: "modern" },
  { way: "http", era: "legacy" },
  { way: "sse", era: "legacy" },
  { way: "stdio", era: "modern" },
])(`the Inspector, over $way in the $era era ${NEEDS}`, ({ way, era }) => {
  const ask = (...request: readonly string[]) => inspect(way, era, ...request);

  test("lists and calls tools", async () => {
    const listed = await ask("tools/list", "--strict");
    const text = "grüße 👋";
    const called = await ask(
      "tools/call",
      "--tool-name",
      "echo",
      "--tool-args-json",
      JSON.stringify({ text }),
    );
    expect(names(listed.tools)).toContain("test_structured_content");
    expect(called.content).toEqual([{ type: "text", text }]);
  });

  test("lists and reads resources, and those of templates", async () => {
    const listed = await ask("resources/list");
    const templates = await ask("resources/templates/list");
    const read = await ask("resources/read", "--uri", "test://template/9/data");
    expect(names(listed.resources)).toEqual(["Static text", "Static image", "Watched"]);
    expect(names(templates.resourceTemplates)).toEqual(["Data by id"]);
    expect(JSON.parse(read.contents[0].text)).toMatchObject({ id: "9", data: "Data for ID: 9" });
  });

  test("lists and gets prompts", async () => {
    const listed = await ask("prompts/list");
    const words = ["--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=a", "arg2=b"];
    const got = await ask("prompts/get", ...words);
    expect(names(listed.prompts)).toContain("test_simple_prompt");
    expect(got.messages[0].content.text).toBe("Prompt with arguments: arg1='a', arg2='b'");
  });
});

test.skipIf(!INSTALLED)(`the Inspector sets a level of logging in the older era ${NEEDS}`, async () => {
  expect(await inspect("http", "legacy", "logging/setLevel", "--log-level", "warning")).toEqual({});
});
