import { EXIT, formatBytes, messageOf, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { pullModel } from "../../pull/index.ts";
import type { PullEvent } from "../../pull/index.ts";
import type { Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { pullReporter } from "./pull-progress.ts";
import { pullTarget } from "./pull-target.ts";

/** Fetches a model. Ctrl-C keeps all that has arrived. Throws `OmniError` `hub.*` or `pull.*`. */
export async function runPull(target: string, invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const wanted = await pullTarget(target, invocation);
  const json = invocation.flag("json");
  const dryRun = invocation.flag("dry-run");
  const tell = json ? (event: PullEvent) => terminal.out(JSON.stringify(event)) : pullReporter(terminal);
  const stop = new AbortController();
  const interrupted = (): void => stop.abort(new Error("interrupted"));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const pulled = await pullModel({
      ...wanted,
      folder: invocation.value("to"),
      dryRun,
      signal: stop.signal,
      tell,
    });
    if (json) terminal.out(JSON.stringify({ kind: "done", ...pulled, dryRun }));
    else if (!dryRun)
      terminal.out(`${pulled.folder}: ${formatBytes(pulled.bytes)} in ${pulled.files.length}, verified`);
    return EXIT.done;
  } catch (thrown) {
    if (!stop.signal.aborted || thrown instanceof OmniError) throw thrown;
    terminal.err(
      `Stopped (${messageOf(thrown)}). What has arrived is kept: the same command goes on from there.`,
    );
    return EXIT.failed;
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
}
