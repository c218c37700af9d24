import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CHAOS_TIMES, nodeApi, runChaos, SCENARIOS, startOwnNode } from "../chaos/index.ts";
import type { ChaosInput, Scenario, ScenarioResult, StartedNode } from "../chaos/index.ts";
import { EXIT, nearest, OmniError, siblingProgram } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import { openBoard } from "../simulation/index.ts";
import { integerOption } from "./command.ts";
import type { Invocation } from "./command.ts";
import { CHAOS_SPEC } from "./node/chaos-spec.ts";
import { resultLine, resultRow, resultStory, RESULT_HEAD } from "./node/chaos-view.ts";
import { simulationFolder } from "./node/simulated-node.ts";
import { nodeUrl } from "./node-client.ts";
import { readNodeRecord } from "../store/index.ts";
import { stateFolder } from "./state-folder.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";
import { usualKey } from "./usual-key.ts";

const MAIN = fileURLToPath(siblingProgram(import.meta.url, "./main"));

/** Does faults to a node and prints what came of each. Exit code 1 when one was not come through as it should be. */
export async function runChaosCommand(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  if (invocation.flag("list")) {
    terminal.out(table(SCENARIOS.map(({ name, about }) => [terminal.style("bold", name), about])));
    return EXIT.done;
  }
  const scenarios = chosen(invocation.values("scenario"));
  const interruption = new AbortController();
  // Faults are taken back and everything of chaos' own is ended first; a second signal ends this at once.
  const interrupted = (signal: NodeJS.Signals): void => interruption.abort(signal);
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    const { signal } = interruption;
    const results =
      invocation.value("url") === undefined
        ? await onOwnNode(invocation, scenarios, signal, terminal)
        : await onRunningNode(invocation, scenarios, signal, terminal);
    if (invocation.flag("json")) terminal.out(JSON.stringify(results, null, 2));
    else report(results, terminal);
    return results.some(({ failures }) => failures.length > 0) ? EXIT.failed : EXIT.done;
  } catch (thrown) {
    if (!interruption.signal.aborted) throw thrown;
    throw new OmniError("chaos.failed", "Interrupted before all faults were done.", {
      hint: "What was broken on purpose has been given back.",
    });
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
  }
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
  signal: AbortSignal,
  terminal: Terminal,
): Promise<readonly ScenarioResult[]> {
  if (!invocation.flag("yes"))
    throw new OmniError("chaos.refused", "Chaos on a running node kills engines that clients use.");
  if (invocation.positionals.length > 0 || invocation.flag("real"))
    throw new OmniError("cli.bad-argument", "--url strikes a node that runs; SPEC and --real start one.", {
      hint: "Leave one of the two out.",
    });
  const url = nodeUrl(invocation);
  const node = nodeApi(url, usualKey());
  const { services } = await node.state();
  const simulated = services.some((service) => service.simulated === true);
  const board = simulated ? boardHere(url) : undefined;
  return runChaos({
    ...inputOf(invocation, scenarios, terminal),
    node,
    signal,
    ...(board === undefined ? {} : { board }),
  });
}

/** The cards of a simulated node, where it is the one of this machine and state folder. */
function boardHere(url: string): ChaosInput["board"] {
  const record = readNodeRecord(stateFolder());
  return record?.url === url ? openBoard(simulationFolder(stateFolder())) : undefined;
}

async function onOwnNode(
  invocation: Invocation,
  scenarios: readonly Scenario[],
  signal: AbortSignal,
  terminal: Terminal,
): Promise<readonly ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "omni-chaos-spec-"));
  const real = invocation.flag("real");
  let own: StartedNode | undefined;
  try {
    const spec = specArguments(invocation, folder);
    own = await startOwnNode({
      command: [process.execPath, MAIN, "up", ...spec, ...(real ? [] : ["--simulate"])],
      ownDisk: scenarios.some(({ name }) => name === "disk-full"),
      signal,
    });
    return await runChaos({
      ...inputOf(invocation, scenarios, terminal),
      node: nodeApi(own.url, usualKey()),
      own,
      signal,
      ...(real ? {} : { board: openBoard(simulationFolder(own.stateFolder)) }),
    });
  } catch (thrown) {
    if (own === undefined || !(thrown instanceof OmniError) || thrown.code !== "cli.no-node") throw thrown;
    const words = own.output().slice(-5).join(" | ");
    throw new OmniError("chaos.failed", `The test node does not answer any more: ${words}`, {
      cause: thrown,
    });
  } finally {
    await own?.end();
    rmSync(folder, { recursive: true, force: true });
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
    onResult: (result) => {
      if (!invocation.flag("json")) terminal.err(`  ${resultLine(result)}`);
    },
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
