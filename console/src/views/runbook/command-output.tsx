import { Badge } from "../../parts/badge.tsx";
import { Time } from "../../parts/time.tsx";
import { formatDuration } from "../../parts/words.ts";
import type { Command } from "./runbook-types.ts";

/** A command that a step ran, with what it said; the output is folded unless it failed. */
export function CommandOutput({ command }: { readonly command: Command }) {
  const { host, argv, ended, stdout, stderr, duration, time } = command;
  const failed = ended !== undefined && ended !== 0;
  return (
    <details className="command" open={failed}>
      <summary>
        <code>{argv.join(" ")}</code> <Badge tone={toneOf(ended)}>{wordOf(ended)}</Badge>
      </summary>
      <p className="quiet">
        On {host}, <Time at={time} as="clock" />
        {duration === undefined ? "" : `, ${formatDuration(duration)}`}
      </p>
      <Output name="Output" text={stdout} />
      <Output name="Errors" text={stderr} />
      {stdout === "" && stderr === "" && <p className="quiet">It said nothing.</p>}
    </details>
  );
}

function Output({ name, text }: { readonly name: string; readonly text: string }) {
  if (text === "") return null;
  return (
    <>
      <h5>{name}</h5>
      <pre className="log" tabIndex={0} role="region" aria-label={name}>
        {text}
      </pre>
    </>
  );
}

const toneOf = (ended: Command["ended"]) => (ended === undefined ? "busy" : ended === 0 ? "good" : "error");

const wordOf = (ended: Command["ended"]): string =>
  ended === undefined ? "runs" : typeof ended === "number" ? `exit ${ended}` : ended;
