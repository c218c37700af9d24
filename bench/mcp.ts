/**
 * What the tool gateway adds to a call of a tool: `npm run bench:mcp -- [--rounds 5] [--seconds 1.5] [--rate 200]
 * [--upstream hand|sdk] [--no-inspector]`. The same calls go straight to an MCP server and through the gateway to that
 * server, in turns within one run, with 1 and 16 callers, 1 and 100 tools, in both eras; client, gateway and server are
 * processes of their own. `--sessions 2000` opens and abandons so many sessions instead, and says what is left of them.
 */
import { parseArgs } from "node:util";
import { abandonSessions } from "./mcp-abandoned.ts";
import { inspectorRows } from "./mcp-inspector.ts";
import { startLoad, startUpstream, stealShare } from "./mcp-rig.ts";
import type { McpLoadResult } from "./mcp-load.ts";
import type { Server, Upstream } from "./mcp-rig.ts";
import { startGateway } from "../test/mcp/harness/start.ts";
import type { RunningGateway } from "../test/mcp/harness/start.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1.5" },
    rate: { type: "string", default: "200" },
    upstream: { type: "string", default: "hand" },
    sessions: { type: "string" },
    "no-inspector": { type: "boolean", default: false },
  },
});

/** What the gateway may add with 16 callers, ms. */
const TARGET = { p50: 2, p99: 10 };

interface Cell {
  readonly era: "legacy" | "modern";
  readonly tools: number;
  readonly callers: number;
  readonly rate?: number;
}

interface Side {
  readonly upstream: Upstream;
  readonly gateway: RunningGateway;
}

/** What one measurement found; `cpu` in microseconds of the gateway's process a call. */
type Found = McpLoadResult & { readonly cpu: number };

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const by = (found: readonly Found[], figure: (one: Found) => number): number => median(found.map(figure));

function cells(): Cell[] {
  const rate = Number(values.rate);
  return (["legacy", "modern"] as const).flatMap((era) =>
    [1, 100].flatMap((tools) => [
      { era, tools, callers: 1 },
      { era, tools, callers: 16 },
      { era, tools, callers: 16, rate },
    ]),
  );
}

async function measure(load: Server, cell: Cell, url: string, gateway?: RunningGateway): Promise<Found> {
  const before = (await gateway?.look())?.cpu ?? 0;
  const result = await load.ask({ ...cell, url: `${url}/mcp`, time: Number(values.seconds) * 1000 });
  if (result.failures > 0) throw new Error(`${result.failures} calls failed at ${url}: ${result.failure}`);
  const after = (await gateway?.look())?.cpu ?? 0;
  return { ...result, cpu: (after - before) / result.calls };
}

const row = (words: readonly (string | number)[]): string =>
  words
    .map((word, at) => {
      const text = typeof word === "number" ? word.toFixed(word >= 100 ? 0 : 2) : word;
      return at === 0 ? text.padEnd(34) : text.padStart(9);
    })
    .join("");

function print(cell: Cell, direct: readonly Found[], proxied: readonly Found[]): void {
  const [p50, p99] = [(one: Found) => one.p50, (one: Found) => one.p99];
  const pace = cell.rate === undefined ? "as fast as it goes" : `${cell.rate} a second`;
  console.log(
    row([
      `${cell.era}, ${cell.tools} tools, ${cell.callers} callers`,
      ...[direct, proxied].flatMap((found) => [
        by(found, p50),
        by(found, p99),
        by(found, (one) => one.calls / one.seconds),
      ]),
      by(proxied, p50) - by(direct, p50),
      by(proxied, p99) - by(direct, p99),
      by(proxied, (one) => one.cpu),
      `  ${pace}`,
    ]),
  );
}

const verdict = (found: number, target: number): string => (found <= target ? "within" : "MORE THAN");

/** The targets are about latency, so that the rows that do not fill the processor are judged. */
function judge(results: ReadonlyMap<Cell, readonly [Found[], Found[]]>): void {
  const paced = [...results].filter(([cell]) => cell.rate !== undefined);
  const added = (figure: (one: Found) => number) =>
    Math.max(...paced.map(([, [direct, proxied]]) => by(proxied, figure) - by(direct, figure)));
  const [p50, p99] = [added((one) => one.p50), added((one) => one.p99)];
  console.log(
    `\nWith 16 callers at ${values.rate} calls a second the gateway adds at most ${p50.toFixed(2)} ms at the median ` +
      `(${verdict(p50, TARGET.p50)} the ${TARGET.p50} ms that it may) and ${p99.toFixed(2)} ms at the 99th percentile ` +
      `(${verdict(p99, TARGET.p99)} the ${TARGET.p99} ms).`,
  );
  console.log(
    "With callers that never pause, a call waits for the processor that client, gateway and server share; " +
      "those rows say how many calls fit, not what one waits for.",
  );
}

async function compare(): Promise<void> {
  const kind = values.upstream === "sdk" ? "sdk" : "hand";
  const load = startLoad();
  const sides = new Map<number, Side>();
  for (const tools of [1, 100]) {
    const upstream = await startUpstream(kind, tools);
    const gateway = await startGateway({ behind: { url: `${upstream.url}/mcp` } });
    sides.set(tools, { upstream, gateway });
  }
  const stolen = stealShare();
  try {
    const results = new Map(cells().map((cell): [Cell, [Found[], Found[]]] => [cell, [[], []]]));
    for (let round = -1; round < Number(values.rounds); round++) {
      for (const [cell, [direct, proxied]] of results) {
        const side = sides.get(cell.tools);
        if (side === undefined) continue;
        const { upstream, gateway } = side;
        const found = [
          await measure(load, cell, upstream.url),
          await measure(load, cell, gateway.url, gateway),
        ];
        // The first round warms everything up.
        if (round >= 0) [direct, proxied].forEach((all, at) => all.push(...found.slice(at, at + 1)));
      }
    }
    const columns = ["p50 ms", "p99 ms", "calls/s"];
    console.log(row(["", ...columns, ...columns, "+p50", "+p99", "CPU µs"]));
    console.log(row(["", "direct", "", "", "proxied", "", "", "added", "", "a call"]));
    for (const [cell, [direct, proxied]] of results) print(cell, direct, proxied);
    judge(results);
    if (!values["no-inspector"]) {
      for (const { upstream, gateway } of sides.values()) {
        for (const line of await inspectorRows(upstream.url, gateway.url)) console.log(line);
      }
    }
    console.log(`\nThe host took ${(stolen() * 100).toFixed(1)} % of the processor's time away meanwhile.`);
  } finally {
    load.close();
    for (const { upstream, gateway } of sides.values()) {
      await gateway.close();
      upstream.close();
    }
  }
}

if (values.sessions === undefined) await compare();
else for (const line of await abandonSessions(Number(values.sessions))) console.log(line);
