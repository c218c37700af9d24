import { CODES, EXIT, formatDuration, OmniError } from "../core/index.ts";
import type { ExitCode, NodeEvent } from "../core/index.ts";
import type { Plan, PlanInput } from "../plan/index.ts";
import { integerOption } from "./command.ts";
import type { Invocation } from "./command.ts";
import { makePlan } from "./make-plan.ts";
import { locateSpec, readKeys } from "./node-spec.ts";
import type { LocatedSpec } from "./node-spec.ts";
import { reportPlan } from "./plan-report.ts";
import { Progress } from "./progress.ts";
import { reportDiagnostics } from "./report.ts";
import { runNode } from "./running-node.ts";
import type { RunningNode } from "./running-node.ts";
import { stateFolder } from "./state-folder.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs a node until it is stopped. Throws `OmniError` when the spec is wrong, nothing fits, or nothing starts. */
export async function runUp(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const located = await locateSpec(invocation.positionals[0], invocation.value("model"));
  const plan = await decide(located, invocation);
  reportDiagnostics(plan.diagnostics, terminal);
  if (!invocation.flag("dry-run")) await serve(located, plan, terminal);
  else if (invocation.flag("json")) terminal.out(JSON.stringify(plan, null, 2));
  else reportPlan(plan, terminal);
  return EXIT.done;
}

async function decide(located: LocatedSpec, invocation: Invocation): Promise<Plan> {
  const planned = await makePlan(located, { online: false, brief: true, forbid: notRunHere });
  const port = integerOption(invocation, "port", [0, 65_535]) ?? planned.gateway.port;
  const plan: Plan = {
    ...planned,
    gateway: { host: invocation.value("host") ?? planned.gateway.host, port },
  };
  const unsafe = plan.diagnostics.filter((diagnostic) => diagnostic.code === "plan.not-enforced");
  if (unsafe.length > 0)
    throw new OmniError("plan.not-enforced", "The spec asks for bounds that could not be kept.", {
      diagnostics: unsafe,
    });
  if (plan.services.length > 0) return plan;
  const causes = plan.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  throw new OmniError(
    causes[0]?.code ?? "node.nothing-to-run",
    `Nothing of ${located.origin} can run on this machine.`,
    { diagnostics: causes },
  );
}

type Forbid = NonNullable<PlanInput["forbid"]>;

/** Engines and runtimes that this version plans for but cannot start. */
const notRunHere: Forbid = (engine, { runtime }) => {
  if (runtime !== "process")
    return notStarted(`it runs on ${runtime}; this version starts engines as processes of this machine`);
  return engine.kind === "embedded"
    ? undefined
    : notStarted(`its engine is ${engine.kind}; this version starts the embedded engine`);
};

const notStarted = (reason: string): ReturnType<Forbid> => ({
  code: "engine.not-run-here",
  reason,
  hint: CODES["engine.not-run-here"].remedy,
});

async function serve(located: LocatedSpec, plan: Plan, terminal: Terminal): Promise<void> {
  const began = performance.now();
  const { gateway } = located.spec;
  const progress = new Progress(terminal);
  const keys = await readKeys(located);
  let announced = false;
  const node = await runNode({
    plan,
    stateFolder: stateFolder(),
    keys,
    limits: {
      bodyBytes: gateway.bodyLimit,
      headerTime: gateway.timeouts.headers,
      bodyTime: gateway.timeouts.body,
      keepAliveTime: gateway.timeouts.idle,
      connectTime: gateway.timeouts.connect,
    },
    corsOrigins: gateway.cors ?? [],
    onEvent: (event) => {
      // The first readiness is announced with the URL; later ones end a trouble that was told.
      if (event.severity !== "info" || (announced && event.kind === "service.ready"))
        progress.around(() => tell(event, terminal));
    },
  });
  const stopped = untilSignal(node, gateway.timeouts.drain, terminal);
  terminal.out(`${terminal.style("bold", `omni ${VERSION}`)}  ${terminal.style("cyan", `${node.url}/v1`)}`);
  progress.follow(() => node.services());
  const settled = new AbortController();
  try {
    await Promise.race([node.settled(settled.signal), stopped]);
    progress.end();
    announced = node.services().some((service) => service.state === "ready");
    if (announced)
      announce(node, plan, { elapsed: performance.now() - began, asksForKey: keys.length > 0 }, terminal);
    await stopped;
  } catch (thrown) {
    progress.end();
    await node.stop(0);
    throw thrown;
  } finally {
    settled.abort();
  }
}

/** What a person at the terminal must hear of while the node runs; all else is in `omni events`. */
function tell(event: NodeEvent, terminal: Terminal): void {
  const colour = event.severity === "error" ? "red" : event.severity === "warning" ? "yellow" : "green";
  terminal.err(
    `${terminal.styleErr("dim", new Date(event.time).toLocaleTimeString("sv-SE"))} ${terminal.styleErr(colour, event.kind)} ${event.message}`,
  );
}

interface Start {
  /** Milliseconds until the first service was ready. */
  readonly elapsed: number;
  readonly asksForKey: boolean;
}

function announce(node: RunningNode, plan: Plan, { elapsed, asksForKey }: Start, terminal: Terminal): void {
  const { style } = terminal;
  const rows = node
    .services()
    .map((service) => [
      `  ${style("bold", service.name)}`,
      style(service.state === "ready" ? "green" : "yellow", service.state),
      service.engine === "embedded" ? "embedded llama.cpp" : service.engine,
      `${service.contextTokens} tokens × ${service.parallel} requests`,
    ]);
  const model = plan.routes[0]?.name ?? "";
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "What is Omni?" }] });
  terminal.out("");
  terminal.out(table(rows));
  terminal.out("");
  terminal.out(`Ready after ${formatDuration(elapsed)}. Try:`);
  terminal.out("");
  terminal.out(`  curl ${node.url}/v1/chat/completions -H 'content-type: application/json' \\`);
  if (asksForKey) terminal.out(`    -H "authorization: Bearer $OMNI_API_KEY" \\`);
  terminal.out(`    -d '${body.replaceAll("'", String.raw`'\''`)}'`);
  terminal.out("");
  terminal.out(
    `Also: ./omni chat, ./omni status, ./omni events. ${style("dim", "Ctrl-C stops everything.")}`,
  );
}

/** Resolves when a signal has stopped the node: the first lets answers finish, the second does not. */
function untilSignal(node: RunningNode, drain: number, terminal: Terminal): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0;
    const stop = (): void => {
      signals += 1;
      if (signals === 1) terminal.err("Stopping; running answers may finish. Ctrl-C again stops at once.");
      node.stop(signals === 1 ? drain : 0).then(resolve, reject);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  });
}
