import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

import { eventually, isAlive } from "../../fakes/alive.ts";
import { FakeMcpHttp } from "../../fakes/mcp-http-server.ts";
import { contextOf, fakeCommand, httpUpstream, stdioUpstream, textOf } from "./under-test.ts";

const NODE = fileURLToPath(new URL("./orphans.ts", import.meta.url));
const never = new AbortController().signal;

test.skipIf(process.platform !== "linux")(
  "a node killed by SIGKILL leaves nothing: not a server that ignores the end of its input, nor what that has started",
  async () => {
    const node = spawn(process.execPath, [NODE, JSON.stringify(fakeCommand({ stubborn: true }))], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line]: unknown[] = await once(node.stdout, "data");
    const { answer, pids } = JSON.parse(String(line));
    const processes = [...pids, Number(textOf(answer))];
    expect(processes.every((pid) => isAlive(pid))).toBe(true);
    node.kill("SIGKILL");
    await eventually("nothing is left", () => processes.every((pid) => !isAlive(pid)));
  },
);

test("a server that hangs in its start does not hold up another one, nor a cancelled request", async () => {
  const dead = stdioUpstream({ slow: 60_000, era: "legacy", onProbe: "silence" }, { initTimeout: 60_000 });
  const server = await FakeMcpHttp.start();
  const alive = httpUpstream(server.url);
  try {
    const controller = new AbortController();
    const waiting = dead.provider.tools(controller.signal);
    expect((await alive.provider.tools(never)).length).toBeGreaterThan(5);
    expect(dead.provider.view().state).toBe("starting");
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  } finally {
    // Also one that is being started ends.
    await Promise.all([dead.provider.close(), alive.provider.close()]);
    await server.stop();
  }
  expect(dead.provider.view()).toMatchObject({ state: "closed", connections: 0 });
});

test("a list that its asker has given up is not asked for, and fails nobody when the server ends", async () => {
  const failures: unknown[] = [];
  const fail = (reason: unknown): void => void failures.push(reason);
  process.on("unhandledRejection", fail);
  const { provider } = stdioUpstream({ era: "modern", silentOn: ["subscriptions/listen", "tools/list"] });
  try {
    await provider.callTool("count", {}, contextOf());
    const controller = new AbortController();
    const listed = provider.tools(controller.signal);
    await sleep(50);
    controller.abort(new Error("enough"));
    await expect(listed).rejects.toThrow("enough");
  } finally {
    await provider.close();
  }
  await sleep(50);
  process.off("unhandledRejection", fail);
  expect(failures).toEqual([]);
});

test("1000 calls in a row on a legacy connection: no warning, one session, and no listener or socket more", async () => {
  const warnings: string[] = [];
  const warn = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", warn);
  const server = await FakeMcpHttp.start({ json: true });
  const { provider } = httpUpstream(server.url);
  try {
    for (let call = 0; call < 1000; call += 1) await provider.callTool("count", {}, contextOf());
    expect(server.mcp.calls).toBe(1000);
    expect(server.sessions).toBe(1);
    expect(warnings).toEqual([]);
  } finally {
    await provider.close();
    process.off("warning", warn);
  }
  // The session was ended at the server, and no socket is left open.
  expect(server.requests.at(-1)).toBe("DELETE");
  let sockets = await server.openSockets();
  for (let look = 0; look < 100 && sockets > 0; look += 1) {
    await sleep(20);
    sockets = await server.openSockets();
  }
  expect(sockets).toBe(0);
  await server.stop();
});
