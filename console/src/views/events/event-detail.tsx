import { hashTo } from "../../app/hash-route.ts";
import type { NodeEvent } from "../../live/live-state.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Facts } from "../../parts/facts.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { SEVERITY_TONES } from "./severity-tones.ts";

/** One event with all that it carries, and ways to what it is about. */
export function EventDetail({ event, close }: { readonly event: NodeEvent; readonly close: () => void }) {
  const { seq, time, severity, kind, message, data } = event;
  const links = linksOf(event);
  return (
    <Panel
      title={`Event ${seq}`}
      actions={
        <>
          <CopyButton text={JSON.stringify(event, undefined, 2)} label="Copy as JSON" />
          <Button onPress={close}>Close</Button>
        </>
      }
    >
      <p className="event-message">{message}</p>
      <Facts
        of={{
          Kind: <code>{kind}</code>,
          "How bad": <Badge tone={SEVERITY_TONES[severity]}>{severity}</Badge>,
          When: (
            <>
              <Time at={time} as="clock" /> (<Time at={time} />)
            </>
          ),
          ...Object.fromEntries(
            links.map(({ what, name, href }) => [
              what,
              <a key={href} href={href}>
                {name}
              </a>,
            ]),
          ),
        }}
      />
      {data !== undefined && <pre className="log">{JSON.stringify(data, undefined, 2)}</pre>}
    </Panel>
  );
}

interface EventLink {
  readonly what: string;
  readonly name: string;
  readonly href: string;
}

/** Where the things are that an event names. */
function linksOf({ service, data = {} }: NodeEvent): readonly EventLink[] {
  const [request, server, spec, run, step] = ["request", "server", "spec", "run", "step"].map((name) =>
    wordIn(data[name]),
  );
  return [
    ...(service === undefined ? [] : link("Service", service, "services", [service])),
    ...(request === undefined ? [] : link("Request", request, "requests", [request])),
    ...(server === undefined ? [] : link("Tool server", server, "tools", [])),
    ...(spec === undefined || run === undefined ? [] : link("Run", `${spec} ${run}`, "runbook", [spec, run])),
    ...(spec === undefined || run === undefined || step === undefined
      ? []
      : link("Step", step, "runbook", [spec, run, step])),
  ];
}

const link = (what: string, name: string, view: string, rest: readonly string[]): readonly EventLink[] => [
  { what, name, href: hashTo(view, rest) },
];

const wordIn = (value: unknown): string | undefined =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
