import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { temporaryFolder } from "../../e2e/run-node.ts";

/** Prometheus' own checker, of Debian's package prometheus. */
export const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
export const skipped = hasPromtool
  ? ""
  : " (skipped: promtool is not installed; Debian's package prometheus has it)";

/** Series of a test: selector and values as promtool writes them, one a minute: `0x10`, `1+1x20`. */
export type Series = Readonly<Record<string, string>>;

/** A time, what is measured by then, and whether an alert fires. */
export interface AlertCase {
  readonly alert: string;
  readonly series: Series;
  readonly at: string;
  readonly fires: boolean;
}

export interface Told {
  readonly code: number | null;
  readonly said: string;
}

/** Runs promtool over files of a folder that is gone afterwards. */
export function promtool(files: Readonly<Record<string, string>>, ...args: string[]): Told {
  const folder = temporaryFolder();
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(folder.path, { recursive: true });
      writeFileSync(join(folder.path, name), content);
    }
    const done = spawnSync("promtool", args, { cwd: folder.path, encoding: "utf8" });
    return { code: done.status, said: `${done.stdout}${done.stderr}` };
  } finally {
    folder.remove();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

const GROUPS = z.object({
  groups: z.array(z.looseObject({ rules: z.array(z.looseObject({ alert: z.string() })) })),
});

/** The file with these alerts alone: promtool computes every rule at every step of every case. */
function only(rules: string, alerts: ReadonlySet<string>): string {
  const { groups } = GROUPS.parse(parse(rules));
  const kept = groups.map((group) => ({
    ...group,
    rules: group.rules.filter(({ alert }) => alerts.has(alert)),
  }));
  return JSON.stringify({ groups: kept.filter(({ rules }) => rules.length > 0) });
}

/** Puts cases through `promtool test rules`, a rule every `step`. Every case is about one alert and counts what fires of it. */
export function testAlerts(rules: string, cases: readonly AlertCase[], step = "1m"): Told {
  const tests = cases.map(({ alert, series, at, fires }) => ({
    interval: "1m",
    input_series: Object.entries(series).map(([one, values]) => ({ series: one, values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}", alertstate="firing"})`,
        eval_time: at,
        exp_samples: fires ? [{ labels: "{}", value: 1 }] : [],
      },
    ],
  }));
  const file = stringify({ rule_files: ["alerts.yaml"], evaluation_interval: step, tests });
  const alerts = only(rules, new Set(cases.map(({ alert }) => alert)));
  return promtool({ "alerts.yaml": alerts, "test.yaml": file }, "test", "rules", "test.yaml");
}
