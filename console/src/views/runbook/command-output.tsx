import { Badge } from "../../parts/badge.tsx";
import { Time } from "../../parts/time.tsx";
import { formatDuration } from "../../parts/words.ts";
import type { Command } from "./runbook-types.ts";

/** A command that a step ran, with what it said; the output is folded unless it failed. */
export function CommandOutput({ command }: { readonly command: Command }) {
  const { host, argv, ended, stdout, stderr, duration, time } = command;
  const said = argv.join(" ");
  const failed = ended !== undefined && ended !== 0;
  return (
    <details className="command" open={failed}>
      <summary>
        <code>{said}</code> <Badge tone={toneOf(ended)}>{wordOf(ended)}</Badge>
      </summary>
      <p className="quiet">
        On {host}, <Time at={time} as="clock" />
        {duration === undefined ? "" : `, ${formatDuration(duration)}`}
      </p>
      <Output name="Output" text={stdout} of={said} />
      <Output name="Errors" text={stderr} of={said} />
      {stdout === "" && stderr === "" && <p className="quiet">It said nothing.</p>}
    </details>
  );
}

interface OutputProps {
  readonly name: string;
  readonly text: string;
  readonly of: string;
}

function Output({ name, text, of }: OutputProps) {
  if (text === "") return null;
  return (
    <>
      <h4>{name}</h4>
      <pre className="log" tabIndex={0} role="region" aria-label={`${name} of ${of}`}>
        {text}
      </pre>
    </>
  );
}

const toneOf = (ended: Command["ended"]) => (ended === undefined ? "busy" : ended === 0 ? "good" : "error");

const wordOf = (ended: Command["ended"]): string =>
  ended === undefined ? "runs" : typeof ended === "number" ? `exit ${ended}` : ended;
