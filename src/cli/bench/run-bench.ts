import { measureRoute, nodeStatus, openClient } from "../../acceptance/index.ts";
import type { AcceptanceClient, BenchSettings, NodeStatus } from "../../acceptance/index.ts";
import { EXIT, messageOf, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { keepBenchRun, readBenchRuns } from "../../store/index.ts";
import type { BenchRow } from "../../store/index.ts";
import type { Invocation } from "../command.ts";
import { presentedKey } from "../mcp/presented-key.ts";
import { nodeUrl } from "../node-client.ts";
import { stateFolder } from "../state-folder.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import { listRuns, printBench } from "./bench-report.ts";
import { benchKey, compared, namedRun, rowToCompare, storedRow } from "./bench-rows.ts";
import type { BenchResult } from "./bench-rows.ts";
import { benchSettings } from "./bench-settings.ts";
import { nodeTargets } from "./bench-targets.ts";
import type { BenchTarget } from "./bench-targets.ts";
import { memoryReader } from "./measured-memory.ts";

/** Measures, compares, keeps and prints. Exit code 1 when a name could not be measured. */
export async function runBench(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const rows = readBenchRuns(stateFolder());
  if (invocation.flag("list")) {
    terminal.out(invocation.flag("json") ? JSON.stringify(rows, null, 2) : listRuns(rows, terminal));
    return EXIT.done;
  }
  const settings = benchSettings(invocation);
  const against = namedRun(invocation.value("compare"), rows);
  const interruption = new AbortController();
  // What was measured so far is told; a second signal ends this at once.
  const interrupted = (): void => interruption.abort(new Error("interrupted"));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  const client = openClient({ base: baseOf(invocation), key: presentedKey(invocation) });
  try {
    const bench: Bench = {
      client,
      settings,
      invocation,
      terminal,
      rows,
      against,
      signal: interruption.signal,
    };
    return await measureAll(bench);
  } catch (thrown) {
    if (!interruption.signal.aborted) throw thrown;
    throw new OmniError("acceptance.cut", "Interrupted before anything was measured.", { cause: thrown });
  } finally {
    await client.close();
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
  }
}

interface Bench {
  readonly client: AcceptanceClient;
  readonly settings: BenchSettings;
  readonly invocation: Invocation;
  readonly terminal: Terminal;
  readonly rows: readonly BenchRow[];
  readonly against: number | undefined;
  readonly signal: AbortSignal;
}

/** Base of the dialect: as typed for a server with a model of its own, below the node's URL otherwise. */
function baseOf(invocation: Invocation): string {
  const url = invocation.value("url");
  if (invocation.value("model") === undefined) return `${nodeUrl(invocation)}/v1`;
  if (url !== undefined && URL.canParse(url)) return url;
  throw new OmniError("cli.bad-argument", "--model is for a server at --url that is no node of Omni.", {
    hint: "For example: --url http://127.0.0.1:8000/v1 --model qwen; a node's routes are named by --route.",
  });
}

async function measureAll(bench: Bench): Promise<ExitCode> {
  const { client, invocation, terminal, settings, rows, signal } = bench;
  const started = Date.now();
  const status = invocation.value("model") === undefined ? await statusOf(bench) : undefined;
  const targets = await targetsOf(bench, status);
  const engineOf = await engineReader(bench, status);
  const results: BenchResult[] = [];
  for (const target of targets) {
    if (signal.aborted) break;
    const measured = await measureOne(bench, target);
    const key = benchKey(target, client.origin, measured.numbers, engineOf);
    results.push(compared({ ...key, ...measured }, rowToCompare(key, rows, bench.against)));
  }
  const kept = results.flatMap((result) => storedRow(result, settings));
  if (kept.length === 0 && signal.aborted) signal.throwIfAborted();
  const run =
    invocation.flag("no-store") || kept.length === 0 ? undefined : keepBenchRun(stateFolder(), kept, started);
  const report = {
    omni: VERSION,
    url: client.origin,
    time: started,
    ...(run === undefined ? {} : { run }),
    ...(signal.aborted ? { interrupted: true } : {}),
    settings,
    results,
  };
  if (invocation.flag("json")) terminal.out(JSON.stringify(report, null, 2));
  else printBench(report, terminal);
  return results.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.done;
}

async function statusOf({ client, signal }: Bench): Promise<NodeStatus> {
  const status = await nodeStatus(client, signal);
  if (status !== undefined) return status;
  throw new OmniError("cli.no-node", `${client.origin} answers, but not as a node of Omni does.`, {
    hint: "For another server name its model: --url http://host:8000/v1 --model NAME.",
  });
}

async function targetsOf(
  { client, invocation, signal }: Bench,
  status: NodeStatus | undefined,
): Promise<readonly BenchTarget[]> {
  const wanted = { routes: invocation.values("route"), services: invocation.values("service") };
  const model = invocation.value("model");
  if (status === undefined && wanted.routes.length + wanted.services.length > 0)
    throw new OmniError(
      "cli.bad-argument",
      "--route and --service name parts of a node; --model another server.",
    );
  if (status === undefined) return [{ name: model ?? "", task: "text", services: [] }];
  const targets = await nodeTargets(client, status, wanted, signal);
  if (targets.length > 0) return targets;
  throw new OmniError("cli.no-node", `The node at ${client.origin} serves nothing.`, {
    hint: "See ./omni status.",
  });
}

const engineReader = (
  { client, signal }: Bench,
  status: NodeStatus | undefined,
): ReturnType<typeof memoryReader> =>
  status === undefined
    ? Promise.resolve(() => ({ version: "", cards: [], memory: [] }))
    : memoryReader(client, stateFolder(), signal);

/** The numbers of one name, or why there are none; an interruption before the first of them counts as the latter. */
async function measureOne(
  { client, settings, terminal, signal, invocation }: Bench,
  target: BenchTarget,
): Promise<Pick<BenchResult, "numbers" | "failure">> {
  const context = target.services[0]?.contextTokens;
  try {
    const numbers = await measureRoute(client, {
      model: target.name,
      task: target.task,
      services: target.services.map(({ name }) => name),
      context: context === 0 ? undefined : context,
      settings,
      signal,
      onPart: (part) => {
        if (!invocation.flag("json")) terminal.err(terminal.styleErr("dim", `${target.name}: ${part}`));
      },
    });
    return { numbers };
  } catch (thrown) {
    return { failure: signal.aborted ? "interrupted before its first answer" : messageOf(thrown) };
  }
}
