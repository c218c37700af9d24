import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { judgeIsolation, probeScript, readProbe } from "../../src/acceptance/index.ts";
import type { ProbeTarget } from "../../src/acceptance/index.ts";

const way = (what: ProbeTarget["what"], port = 80, host = "127.0.0.1"): ProbeTarget => ({
  what,
  host,
  port,
  name: what,
});
const ITSELF = way("itself");
const GATEWAY = way("gateway");
const OUTSIDE = way("outside");
const NODE = way("node");
const ALL = [ITSELF, GATEWAY, OUTSIDE, NODE];

test("the probe tells who is reached and who refuses, and no address is taken for a command", async () => {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const open = typeof address === "object" && address !== null ? address.port : 0;
  const targets = [way("itself", open), way("outside", 9), way("outside", 80, "$(echo 127.0.0.1);id")];
  const [program, ...words] = probeScript(targets);
  const { stdout } = spawnSync(program, words, { encoding: "utf8" });
  server.close();
  const known = targets.slice(0, 2);
  expect(readProbe(stdout.split("\n").slice(0, 2).join("\n"), known)).toEqual(["connected", "refused"]);
  expect(stdout).not.toContain("uid=");
  // A name that is none is nothing that proves anything.
  expect(readProbe(stdout, targets)).toBeUndefined();
});

test.each([
  ["0 \n124 \n1 bash: connect: Network is unreachable \n1 x: No route to host \n", 4, true],
  ["0 \n", 2, false],
  ["bash: not found", 1, false],
  ["", 1, false],
] as const)("%j of %i ways is read: %s", (output, count, readable) => {
  const targets = ALL.slice(0, count);
  expect(readProbe(output, targets) !== undefined).toBe(readable);
});

test("no way at all is proof by itself; silence only where the node is answered", () => {
  const inside = ["connected", "connected", "no-way", "silent"] as const;
  const control = [undefined, undefined, "silent", "connected"] as const;
  const { state, lines } = judgeIsolation(ALL, inside, control);
  expect(state).toBe("proven");
  expect(lines).toEqual([
    "itself (127.0.0.1:80) is reached",
    "gateway (127.0.0.1:80) is reached",
    "outside (127.0.0.1:80) is not reached: there is no way",
    "node (127.0.0.1:80) is not reached: no answer; the node reaches it",
  ]);
});

test.each([
  [
    "the outside is reached",
    [ITSELF, OUTSIDE],
    ["connected", "connected"],
    [undefined, "connected"],
    "broken",
  ],
  ["the node is reached", [ITSELF, NODE], ["connected", "connected"], [undefined, undefined], "broken"],
  ["the gateway is not", [GATEWAY, OUTSIDE], ["silent", "no-way"], [undefined, "silent"], "broken"],
  ["the probe reaches nothing", [ITSELF, OUTSIDE], ["refused", "no-way"], [undefined, "silent"], "unproven"],
  ["nobody is there", [ITSELF, OUTSIDE], ["connected", "silent"], [undefined, "silent"], "unproven"],
  ["a refusal of nobody's", [ITSELF, OUTSIDE], ["connected", "refused"], [undefined, undefined], "unproven"],
  ["a filter refuses", [ITSELF, OUTSIDE], ["connected", "refused"], [undefined, "connected"], "proven"],
  ["nothing was tried outside", [ITSELF], ["connected"], [undefined], "unproven"],
] as const)("%s", (_, targets, inside, control, state) => {
  expect(judgeIsolation(targets, inside, control).state).toBe(state);
});
