import { formatBytes, formatDuration } from "../../core/index.ts";
import type { PullEvent, PullProgress } from "../../pull/index.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** Milliseconds between two lines where nobody sees a line change. */
const SELDOM = 10_000;
const CLEAR_LINE = "\r\u001B[2K";

/** Tells what is going on in words: one line that changes on a terminal, a line every ten seconds elsewhere. */
export function pullReporter(terminal: Terminal): (event: PullEvent) => void {
  let told = performance.now();
  let drawn = false;
  const say = (text: string): void => {
    if (drawn) process.stdout.write(CLEAR_LINE);
    drawn = false;
    terminal.out(text);
  };
  const draw = (line: string): void => {
    if (terminal.interactive) {
      process.stdout.write(CLEAR_LINE + terminal.style("dim", line.slice(0, terminal.columns - 1)));
      drawn = true;
    } else if (performance.now() - told > SELDOM) {
      told = performance.now();
      terminal.out(line);
    }
  };
  return (event) => {
    if (event.kind === "plan") sayPlan(event, say);
    else if (event.kind === "waiting") say(`${event.path}: another process is fetching it; waiting`);
    else if (event.kind === "repair")
      say(`${event.path}: the checksum is wrong; fetching what may be damaged again to compare`);
    else if (event.kind === "file") say(`${event.path}: ${event.fetched ? "verified" : "there already"}`);
    else if (event.progress.connections > 0) draw(progressLine(event.progress));
    else if (drawn) {
      process.stdout.write(CLEAR_LINE);
      drawn = false;
    }
  };
}

function sayPlan(plan: Extract<PullEvent, { kind: "plan" }>, say: (text: string) => void): void {
  say(`${plan.repository} at ${plan.revision} (${plan.commit.slice(0, 12)}) to ${plan.folder}`);
  const rows = plan.files.map(({ path, bytes, there }) => [
    `  ${path}`,
    formatBytes(bytes),
    there ? "there" : "",
  ]);
  say(table(rows));
  for (const { what, files, bytes } of plan.leftOut)
    say(`  left out: ${what}, ${files} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)}`);
  const { bytes, missing } = plan;
  say(
    missing === 0
      ? `${formatBytes(bytes)}, all there`
      : `${formatBytes(missing)} of ${formatBytes(bytes)} to fetch`,
  );
}

/** `43 %  3.21 GiB of 7.50 GiB  112.00 MiB/s  38 s left  8 connections`. */
function progressLine({ done, total, rate, connections }: PullProgress): string {
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  const left = rate > 0 ? `  ${formatDuration(((total - done) / rate) * 1000)} left` : "";
  const lines = `${connections} ${connections === 1 ? "connection" : "connections"}`;
  return `${percent} %  ${formatBytes(done)} of ${formatBytes(total)}  ${formatBytes(rate)}/s${left}  ${lines}`;
}
