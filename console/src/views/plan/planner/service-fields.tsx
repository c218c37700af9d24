import { Field } from "../../../parts/field.tsx";
import { formatCount } from "../../../parts/words.ts";
import type { Plan } from "../plan-types.ts";
import { DevicesField } from "./devices-field.tsx";
import { draftValue } from "./spec-changes.ts";
import type { Draft, SpecChange } from "./spec-changes.ts";
import { namesAt, pathTo } from "./spec-values.ts";
import { ValueField } from "./value-field.tsx";

interface ServiceFieldsProps {
  readonly service: string;
  readonly spec: unknown;
  readonly plan: Plan;
  readonly draft: Draft;
  readonly onChange: (change: SpecChange) => void;
}

/** Types of KV cache that engines know; the node says which of them one engine takes. */
const KV_TYPES = ["f16", "bf16", "q8_0", "q5_1", "q4_0", "fp8", "fp8_e5m2", "nvfp4", "int8"];

/** What is changed most often of a service, with what the running plan made of it. */
export function ServiceFields(props: ServiceFieldsProps) {
  const { service, spec, plan, draft, onChange } = props;
  const planned = plan.services.find(({ name, replicaOf }) => name === service || replicaOf === service);
  const at = (...rest: readonly string[]): string => pathTo("services", service, ...rest);
  const bound = (path: string) => ({
    value: draftValue(draft, spec, path),
    onValue: (value: unknown) => onChange({ path, value }),
  });
  return (
    <div className="service-fields">
      <ValueField
        name="Context (tokens)"
        {...bound(at("context"))}
        {...asPlanned(planned && formatCount(planned.contextTokens))}
      />
      <ValueField
        name="Requests at the same time"
        {...bound(at("parallel"))}
        {...asPlanned(planned && String(planned.parallel))}
      />
      <KvCacheField {...props} planned={planned?.kvCache?.type} />
      <ValueField
        name="Engines, in order"
        {...bound(at("engine"))}
        show={shownChain}
        read={readChain}
        placeholder={planned?.engine.name ?? "embedded"}
        hint="By commas; each next one is the fallback of the one before."
      />
      <ModelFields {...props} planned={planned?.model.name} />
      <DevicesField
        {...bound(at("devices"))}
        cards={(plan.ledger ?? []).filter(({ kind }) => kind === "gpu").map(({ device }) => device)}
      />
    </div>
  );
}

const asPlanned = (what: string | undefined) =>
  what === undefined ? {} : { placeholder: "auto", hint: `As it runs: ${what}` };

type Inner = ServiceFieldsProps & { readonly planned: string | undefined };

function KvCacheField({ service, spec, draft, onChange, planned }: Inner) {
  const whole = pathTo("services", service, "kvCache");
  const inside = namesAt(spec, whole).length > 0;
  const path = inside ? `${whole}.type` : whole;
  const value = draftValue(draft, spec, path);
  const typed = typeof value === "string" ? value : "";
  const types =
    KV_TYPES.includes(typed) || typed === "" || typed === "auto" ? KV_TYPES : [...KV_TYPES, typed];
  return (
    <Field
      name="Type of the KV cache"
      value={typed === "auto" ? "" : typed}
      choices={[["", "auto"], ...types.map((type) => [type, type] as const)]}
      onChange={(type) => onChange({ path, value: type === "" ? (typed === "" ? null : "auto") : type })}
      {...(planned === undefined ? {} : { hint: `As it runs: ${planned}` })}
    />
  );
}

function ModelFields({ service, spec, draft, onChange, planned }: Inner) {
  const path = pathTo("services", service, "model");
  const chosen = draftValue(draft, spec, path);
  const model = typeof chosen === "string" ? chosen : (planned ?? "");
  const names = namesAt(spec, "models");
  const source = pathTo("models", model);
  // A model that is written as one text has its quantization in that: hf:owner/repo:Q4_K_M.
  const short = typeof draftValue(draft, spec, source) === "string";
  const quality = short ? source : pathTo("models", model, "quantization");
  return (
    <>
      {names.length > 1 && (
        <Field
          name="Model"
          value={model}
          choices={(names.includes(model) ? names : [model, ...names]).map((name) => [name, name] as const)}
          onChange={(value) => onChange({ path, value })}
        />
      )}
      {names.includes(model) && (
        <ValueField
          name={short ? `Where ${model} comes from` : `Quantization of ${model}`}
          value={draftValue(draft, spec, quality)}
          onValue={(value) => onChange({ path: quality, value })}
          placeholder={short ? "hf:owner/repo:Q4_K_M" : "Q4_K_M"}
          {...(short ? {} : { hint: "Counts where no file is there to be read." })}
        />
      )}
    </>
  );
}

const shownChain = (value: unknown): string =>
  Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : "";

function readChain(text: string): unknown {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.length === 0 ? null : names.length === 1 ? names[0] : names;
}
