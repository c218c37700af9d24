import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { parse, parseDocument } from "yaml";
import { z } from "zod";
import { compose } from "../../src/render/compose/index.ts";
import { composeUp } from "../fakes/compose-runner.ts";
import type { RunningProject } from "../fakes/compose-runner.ts";
import { startDockerNode } from "../fakes/docker-node.ts";
import type { DockerNode } from "../fakes/docker-node.ts";
import { referenceDeployment } from "./deployments.ts";

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Beyond the node: nothing but the node's way out leads there. */
const WORLD = { host: "203.0.113.10", port: 80 };
/** A name that only the name server of the node knows; it is the world's. */
const NAMED = { host: "world.example", port: 80 };
/** A service of the node itself, at its address towards the world. */
const NODE = { host: "203.0.113.1", port: 9100 };
/** Where a client on the node asks: the port that the gateway publishes. */
const CLIENT = { host: "127.0.0.1", port: 4664 };
const ORACLE = "deepseek-v32";
const EXECUTOR = "qwen-executor";

const gatewaySchema = z.object({ engines: z.record(z.string(), z.object({ url: z.url() })) });

let node: DockerNode | string = "not started";

/** The node, or the test is skipped with the reason. */
function nodeOr(context: TestContext): DockerNode {
  if (typeof node !== "string") return node;
  return context.skip(`no Docker engine here: ${node}`);
}

interface Rendered {
  readonly yaml: string;
  /** What each container does in place of an engine, by the addresses of the gateway's own spec. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
}

async function rendered(system: string): Promise<Rendered> {
  const { artifacts } = compose.render(await referenceDeployment(system));
  const contentOf = (path: string): string =>
    artifacts.find((artifact) => artifact.path === path)?.content ?? "";
  const { engines } = gatewaySchema.parse(parse(contentOf("compose/gateway/omni.yaml")));
  const urls = Object.entries(engines).map(([name, { url }]): [string, URL] => [name, new URL(url)]);
  const oracle = new Map(urls).get(ORACLE) ?? new URL("http://nobody");
  return {
    yaml: contentOf("compose/compose.yaml"),
    commands: {
      gateway: ["forward", "4664", oracle.hostname, oracle.port],
      ...Object.fromEntries(urls.map(([name, { port }]) => [name, ["serve", port, name]])),
    },
  };
}

const portOf = ({ commands }: Rendered, service: string): number => Number(commands[service]?.[1]);

type From = Parameters<DockerNode["dial"]>[0];

/** The probe itself says that it got nowhere: one that could not even be started proves nothing. */
const NOWHERE =
  /dial: (?:Operation now in progress|No route to host|Network is unreachable|Connection (?:refused|timed out))\s*$/;

/** Docker's name server knows no such name. */
const UNKNOWN = /dial: Cannot assign requested address\s*$/;

/** Who answers on each way: the name of a server, `nobody`, `no such name`, or what went wrong with the asking. */
async function answers(
  at: DockerNode,
  ways: Readonly<Record<string, readonly [From, Place]>>,
): Promise<Readonly<Record<string, string>>> {
  const found = Object.entries(ways).map(async ([way, [from, { host, port }]]): Promise<[string, string]> => {
    const { code, output } = await at.dial(from, host, port);
    if (code === 0) return [way, output.split("\n").at(-1) ?? ""];
    return [way, NOWHERE.test(output) ? "nobody" : UNKNOWN.test(output) ? "no such name" : output];
  });
  return Object.fromEntries(await Promise.all(found));
}

/** An engine that carries questions for names out of an internal network. */
const isOld = async (at: DockerNode): Promise<boolean> =>
  Number.parseInt(await at.docker("version", "--format", "{{.Server.Version}}"), 10) < 25;

beforeAll(async () => {
  node = await startDockerNode();
}, 60_000);

afterAll(async () => {
  if (typeof node !== "string") await node.stop();
});

describe("the reference's compose file on a real Docker engine", () => {
  let project: RunningProject | undefined;
  const up = async (at: DockerNode, { yaml, commands }: Rendered): Promise<RunningProject> => {
    project = await composeUp(at, yaml, commands, ["refused"]);
    return project;
  };
  afterEach(async () => {
    await project?.down();
    project = undefined;
  });

  it("as written, lets the oracle out: the bridge beside the internal network has a way", async (context) => {
    const at = nodeOr(context);
    const { container } = await up(at, await rendered("concrete-bunker"));
    const oracle = { container: container(ORACLE) };
    const seen = await answers(at, {
      "the oracle asks the world": [oracle, WORLD],
      "the oracle asks the node": [oracle, NODE],
      "a client asks the gateway": ["node", CLIENT],
    });
    expect(seen).toEqual({
      "the oracle asks the world": "world",
      "the oracle asks the node": "node",
      "a client asks the gateway": ORACLE,
    });
  });

  it("as corrected, keeps the oracle in, and clients reach it through the gateway", async (context) => {
    const at = nodeOr(context);
    const system = await rendered("concrete-bunker.fixed");
    const { container, address } = await up(at, system);
    const [oracle, executor] = [{ container: container(ORACLE) }, { container: container(EXECUTOR) }];
    const home = { host: await address(ORACLE, "internal_brain"), port: portOf(system, ORACLE) };
    const neighbour = { host: await address(EXECUTOR, "omni-network"), port: portOf(system, EXECUTOR) };
    const open = await answers(at, {
      "a client asks the gateway": ["node", CLIENT],
      "the executor asks the world": [executor, WORLD],
      "the executor asks the world by name": [executor, NAMED],
      "the world asks the node": ["world", NODE],
    });
    expect(open).toEqual({
      "a client asks the gateway": ORACLE,
      "the executor asks the world": "world",
      "the executor asks the world by name": "world",
      "the world asks the node": "node",
    });
    const closed = await answers(at, {
      "the oracle asks the world": [oracle, WORLD],
      "the oracle asks the executor": [oracle, neighbour],
      "the oracle asks the node": [oracle, NODE],
      "the oracle asks the node at its bridge": [oracle, { ...NODE, host: "172.31.0.1" }],
      "the oracle asks the node at the other bridge": [oracle, { ...NODE, host: "172.30.0.1" }],
      "the executor asks the oracle": [executor, home],
      "the world asks the oracle": ["world", home],
      "the node asks the oracle": ["node", home],
      "the world asks the gateway": ["world", { ...CLIENT, host: NODE.host }],
    });
    expect(new Set(Object.values(closed)), JSON.stringify(closed)).toEqual(new Set(["nobody"]));
    // A question for a name carries data as well as a connection does.
    const named = await answers(at, {
      "the oracle asks for a name of the world": [oracle, NAMED],
      "the oracle asks for its own name": [oracle, { host: ORACLE, port: portOf(system, ORACLE) }],
    });
    expect(named).toEqual({
      "the oracle asks for a name of the world": "no such name",
      "the oracle asks for its own name": ORACLE,
    });
  });

  it("with `internal` alone, would leave the node's own services open to the oracle, and its name server", async (context) => {
    const at = nodeOr(context);
    const system = await rendered("concrete-bunker.fixed");
    const alone = parseDocument(system.yaml);
    expect(alone.deleteIn(["services", ORACLE, "dns"])).toBe(true);
    expect(alone.deleteIn(["networks", "internal_brain", "driver_opts"])).toBe(true);
    const { container } = await up(at, { ...system, yaml: alone.toString() });
    const oracle = { container: container(ORACLE) };
    const seen = await answers(at, {
      "the oracle asks the node": [oracle, { ...NODE, host: "172.31.0.1" }],
      "the oracle asks the world": [oracle, WORLD],
    });
    expect(seen).toEqual({ "the oracle asks the node": "node", "the oracle asks the world": "nobody" });
    // Engines before 25.0.5 ask the node's name server for it (CVE-2024-29018); later ones know no such name.
    const { named } = await answers(at, { named: [oracle, NAMED] });
    expect(named).toBe((await isOld(at)) ? "nobody" : "no such name");
  });
});
