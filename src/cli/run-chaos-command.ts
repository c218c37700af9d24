import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CHAOS_TIMES, nodeApi, runChaos, SCENARIOS, startOwnNode } from "../chaos/index.ts";
import type { ChaosInput, Scenario, ScenarioResult, StartedNode } from "../chaos/index.ts";
import { EXIT, nearest, OmniError } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import { openBoard } from "../simulation/index.ts";
import { integerOption } from "./command.ts";
import type { Invocation } from "./command.ts";
import { CHAOS_SPEC } from "./node/chaos-spec.ts";
import { resultRow, resultStory, RESULT_HEAD } from "./node/chaos-view.ts";
import { simulationFolder } from "./node/simulated-node.ts";
import { nodeUrl } from "./node-client.ts";
import { stateFolder } from "./state-folder.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

const MAIN = resolve(import.meta.dirname, "main.ts");

/** Does faults to a node and prints what came of each. Exit code 1 when one was not come through as it should be. */
export async function runChaosCommand(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  if (invocation.flag("list")) {
    terminal.out(table(SCENARIOS.map(({ name, about }) => [terminal.style("bold", name), about])));
    return EXIT.done;
  }
  const scenarios = chosen(invocation.values("scenario"));
  const results =
    invocation.value("url") === undefined
      ? await onOwnNode(invocation, scenarios, terminal)
      : await onRunningNode(invocation, scenarios, terminal);
  if (invocation.flag("json")) terminal.out(JSON.stringify(results, null, 2));
  else report(results, terminal);
  return results.some(({ failures }) => failures.length > 0) ? EXIT.failed : EXIT.done;
}

function chosen(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return SCENARIOS;
  return names.map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    const meant = nearest(
      name,
      SCENARIOS.map((scenario) => scenario.name),
    );
    throw new OmniError("cli.bad-argument", `There is no fault ${JSON.stringify(name)}.`, {
      hint: meant === undefined ? "./omni chaos --list shows them." : `Did you mean ${meant}?`,
    });
  });
}

async function onRunningNode(
  invocation: Invocation,
  scenarios: readonly Scenario[],
  terminal: Terminal,
): Promise<readonly ScenarioResult[]> {
  if (!invocation.flag("yes"))
    throw new OmniError("chaos.refused", "Chaos on a running node kills engines that clients use.");
  const node = nodeApi(nodeUrl(invocation), process.env["OMNI_API_KEY"]);
  const { services } = await node.state();
  const simulated = services.some((service) => service.simulated === true);
  return runChaos({
    ...inputOf(invocation, scenarios, terminal),
    node,
    ...(simulated ? { board: openBoard(simulationFolder(stateFolder())) } : {}),
  });
}

async function onOwnNode(
  invocation: Invocation,
  scenarios: readonly Scenario[],
  terminal: Terminal,
): Promise<readonly ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "omni-chaos-spec-"));
  const real = invocation.flag("real");
  let own: StartedNode | undefined;
  const end = async (): Promise<void> => {
    await own?.end();
    rmSync(folder, { recursive: true, force: true });
  };
  const interrupted = (): void => void end().finally(() => process.exit(130));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    own = await startOwnNode({
      command: [
        process.execPath,
        MAIN,
        "up",
        ...specArguments(invocation, folder),
        ...(real ? [] : ["--simulate"]),
      ],
      ownDisk: scenarios.some(({ name }) => name === "disk-full"),
    });
    return await runChaos({
      ...inputOf(invocation, scenarios, terminal),
      node: nodeApi(own.url, process.env["OMNI_API_KEY"]),
      own,
      ...(real ? {} : { board: openBoard(simulationFolder(own.stateFolder)) }),
    });
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
    await end();
  }
}

/** The spec to run: the one given, the demo for real engines, or the node that chaos is made for. */
function specArguments(invocation: Invocation, folder: string): readonly string[] {
  const [spec] = invocation.positionals;
  if (spec !== undefined) return [resolve(spec)];
  const path = join(folder, "omni.yaml");
  writeFileSync(path, invocation.flag("real") ? DEMO : CHAOS_SPEC);
  return [path];
}

const DEMO = "omni: 1\nname: demo\nmodels: { omni-demo: builtin:omni-demo }\n";

function inputOf(
  invocation: Invocation,
  scenarios: readonly Scenario[],
  terminal: Terminal,
): Omit<ChaosInput, "node"> {
  const [model, victim] = [invocation.value("model"), invocation.value("service")];
  return {
    scenarios,
    clients: integerOption(invocation, "clients", [1, 256]) ?? 8,
    tokens: integerOption(invocation, "tokens", [1, 100_000]) ?? 64,
    times: CHAOS_TIMES,
    ...(model === undefined ? {} : { model }),
    ...(victim === undefined ? {} : { victim }),
    onBegin: ({ name, about }, struck) => {
      if (!invocation.flag("json")) terminal.err(terminal.styleErr("dim", `${name}: ${about} (${struck})`));
    },
  };
}

function report(results: readonly ScenarioResult[], terminal: Terminal): void {
  terminal.out(
    table([
      RESULT_HEAD.map((cell) => terminal.style("dim", cell)),
      ...results.map((result) => resultRow(result, terminal)),
    ]),
  );
  for (const result of results.filter(({ failures }) => failures.length > 0))
    for (const line of resultStory(result)) terminal.out(line);
}
