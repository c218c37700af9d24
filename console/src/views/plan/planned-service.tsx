import { Badge } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/badge.tsx";
import { Facts } from "../../parts/facts.tsx";
import { StackedBar } from "../../parts/stacked-bar.tsx";
import { formatBytes, formatCount } from "../../parts/words.ts";
import { LadderTable } from "./ladder-table.tsx";
import { MeasuredTable } from "./measured-table.tsx";
import { MEMORY_TERMS } from "./memory-terms.ts";
import type { Measured, MemoryTerms, PlannedService } from "./plan-types.ts";

interface PlannedServiceProps {
  readonly service: PlannedService;
  readonly measured: readonly Measured[];
  readonly open: boolean;
}

const BANDS: Readonly<Record<NonNullable<PlannedService["band"]>, Tone>> = {
  fits: "good",
  tight: "warning",
  over: "error",
};

/** A service with everything that was decided about it, and why. */
export function PlannedServiceDetails({ service, measured, open }: PlannedServiceProps) {
  const { name, band, reasons = [], fallbacks = [], engine, model, devices } = service;
  return (
    <details className="planned-service" open={open}>
      <summary>
        <h3>{name}</h3> {band !== undefined && <Badge tone={BANDS[band]}>{band}</Badge>}{" "}
        <span className="quiet">
          {model.name} with {engine.name} on {devices.join(", ")}
        </span>
      </summary>
      <ServiceFacts service={service} />
      <section>
        <h4>Memory</h4>
        {service.memory.map((terms) => (
          <TermsBar key={terms.device} service={name} terms={terms} />
        ))}
      </section>
      <MeasuredTable service={name} measured={measured} />
      {reasons.length > 0 && (
        <section>
          <h4>Why so</h4>
          <ul>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </section>
      )}
      {fallbacks.length > 0 && (
        <p>
          If its engine fails for good: <strong>{fallbacks.join(", then ")}</strong>.
        </p>
      )}
      <LadderTable service={service} />
    </details>
  );
}

function ServiceFacts({ service }: { readonly service: PlannedService }) {
  const { engine, model, kvCache, lifecycle, resident } = service;
  return (
    <Facts
      of={{
        Engine: `${engine.name} ${engine.version}`,
        Image: engine.image,
        Model: `${model.name}, ${formatBytes(model.sizeBytes)}`,
        "Model's place": <code>{model.path}</code>,
        Role: service.role,
        "Replica of": service.replicaOf,
        Machine: service.machine,
        "Runs by": service.runtime,
        Devices: service.devices.join(", "),
        "Tensor parallel": several(service.tensorParallel),
        "Pipeline parallel": several(service.pipelineParallel),
        Context: `${formatCount(service.contextTokens)} tokens`,
        "At the same time": `${service.parallel} requests, ${service.queueLimit} may wait`,
        "KV cache":
          kvCache === undefined
            ? undefined
            : `${formatBytes(kvCache.bytes)} of ${kvCache.type}, ${formatCount(kvCache.tokens)} tokens`,
        "Requests of full context": kvCache?.concurrency.toFixed(2),
        // An engine that decides by itself has none in its plan.
        Threads: service.threads === 0 ? undefined : service.threads,
        CPUs: service.cpus,
        "Weights on cards": resident === undefined ? undefined : resident ? "all" : "in part",
        Priority:
          lifecycle === undefined ? undefined : `${lifecycle.priority}${lifecycle.pinned ? ", pinned" : ""}`,
        "Starts after": lifecycle?.after.length === 0 ? undefined : lifecycle?.after.join(", "),
        Port: service.port,
      }}
    />
  );
}

const several = (count: number | undefined): number | undefined =>
  count === undefined || count < 2 ? undefined : count;

/** What a service takes of one device, against all that the device has. */
function TermsBar({ service, terms }: { readonly service: string; readonly terms: MemoryTerms }) {
  const { device, total, capacity, parts = [] } = terms;
  const told = MEMORY_TERMS.filter(({ term }) => terms[term] > 0).map(
    ({ term, name }) => `${name} ${formatBytes(terms[term])}`,
  );
  return (
    <div className="terms">
      <div className="row">
        <strong>{device}</strong>
        <span>
          {formatBytes(total)} of {capacity === 0 ? "an unknown size" : formatBytes(capacity)}
        </span>
      </div>
      <StackedBar
        label={`${service} on ${device}`}
        total={Math.max(capacity, total)}
        segments={MEMORY_TERMS.map(({ term, name, tone }) => ({
          name,
          tone,
          value: terms[term],
          title: `${name} ${formatBytes(terms[term])}`,
        }))}
      />
      <p className="quiet">{told.join(" + ")}</p>
      {parts.length > 0 && (
        <details className="fold">
          <summary>Part by part</summary>
          <ul className="parts-list">
            {parts.map(({ term, name, bytes }) => (
              <li key={`${term} ${name}`}>
                {name} <span className="figure">{formatBytes(bytes)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
