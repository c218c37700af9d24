import type { ReactNode } from "react";
import { hashTo } from "../../app/hash-route.ts";
import type { Service } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { useRunningPlan } from "../../live/use-running-plan.ts";
import { Badge } from "../../parts/badge.tsx";
import { Facts } from "../../parts/facts.tsx";
import { Notice } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { Time } from "../../parts/time.tsx";
import { formatBytes, formatCount, formatDuration, percent } from "../../parts/words.ts";
import { FailuresPanel } from "./failures-panel.tsx";
import { LadderPanel } from "./ladder-panel.tsx";
import { LogPanel } from "./log-panel.tsx";
import { ServiceActions } from "./service-actions.tsx";
import { atWork } from "./service-words.ts";
import { SpeedPanel } from "./speed-panel.tsx";

interface ServiceDetailProps {
  readonly name: string;
  readonly service: Service | undefined;
}

/** One service: how it is, why, how fast, what failed, and what can be done. */
export function ServiceDetail({ name, service }: ServiceDetailProps) {
  return (
    <>
      <p className="quiet">
        <a href={hashTo("services")}>All services</a>
      </p>
      {service === undefined ? (
        <Notice tone="warning" title={`This node has no service ${name}`}>
          It is not in the spec that the node runs, or not any more.
        </Notice>
      ) : (
        <>
          <Now service={service} />
          <LadderPanel service={service} />
          <SpeedPanel name={name} />
        </>
      )}
      <FailuresPanel name={name} />
      {service !== undefined && <LogPanel name={name} state={service.state} />}
    </>
  );
}

function Now({ service }: { readonly service: Service }) {
  const { name, reason, simulated, adopted, divertedTo, longPrompts } = service;
  return (
    <Panel title={name} actions={<ServiceActions service={service} />}>
      <p className="row">
        <StateBadge {...service} />
        <span className="quiet">
          since <Time at={service.since} />
        </span>
        {simulated === true && <Badge tone="warning">simulated</Badge>}
        {adopted === true && <Badge tone="quiet">taken over as it ran</Badge>}
      </p>
      {reason !== undefined && <p>{reason}</p>}
      {divertedTo !== undefined && (
        <Notice tone="warning" title={`Its requests go to ${divertedTo}`}>
          Until it is as planned again.
        </Notice>
      )}
      {longPrompts !== undefined && (
        <Notice tone="warning" title={`Long prompts go to ${longPrompts.to}`}>
          Those of more than {formatCount(longPrompts.above)} tokens.
        </Notice>
      )}
      <NowFacts service={service} />
    </Panel>
  );
}

function NowFacts({ service }: { readonly service: Service }) {
  const traffic = useLive((state) => state.status?.traffic[service.name]);
  const { engine, kind, model, devices = [], load, eta } = service;
  const restarts = formatCount(service.restarts);
  return (
    <Facts
      of={{
        Engine: kind === undefined || kind === engine ? engine : `${engine} (${kind})`,
        Model: model,
        "Runs on": devices.join(", "),
        "Memory planned": <Placement name={service.name} />,
        Context: `${formatCount(service.contextTokens)} tokens`,
        "At work": atWork(service),
        "May wait": service.queueLimit === undefined ? undefined : formatCount(service.queueLimit),
        "KV cache in use": load?.kvUsed === undefined ? undefined : percent(load.kvUsed),
        "Ready in about": eta === undefined ? undefined : formatDuration(eta),
        Restarts: restarts,
        Process: service.pid === undefined ? undefined : String(service.pid),
        "Tokens written": traffic === undefined ? undefined : formatCount(traffic.completionTokens),
        "Can do": service.capabilities?.join(", "),
      }}
    />
  );
}

/** What the plan gives it, by device. */
function Placement({ name }: { readonly name: string }): ReactNode {
  const { value } = useRunningPlan();
  const planned = value?.plan.services.find((one) => one.name === name);
  if (planned === undefined) return "–";
  return planned.memory.map(({ device, total }) => `${device} ${formatBytes(total)}`).join(", ");
}
