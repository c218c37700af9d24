import { keyed } from "../../parts/keyed.ts";
import { LinkedText } from "../../parts/linked-text.tsx";
import type { Rejection } from "./plan-types.ts";

interface RefusalsProps {
  readonly of: readonly Rejection[];
  readonly isNew?: (rejection: Rejection) => boolean;
}

/** What was not taken, each with its arithmetic. Ways that another one made needless are folded. */
export function Refusals({ of, isNew }: RefusalsProps) {
  const refused = of.filter(({ alternative }) => alternative !== true);
  const alternatives = of.filter(({ alternative }) => alternative === true);
  return (
    <>
      {refused.length > 0 && (
        <ul className="refusals">
          {keyed(refused, nameOf).map(({ key, item }) => (
            <Refusal key={key} of={item} fresh={isNew?.(item) === true} />
          ))}
        </ul>
      )}
      {alternatives.length > 0 && (
        <details className="fold">
          <summary>
            {alternatives.length === 1
              ? "One alternative that was not needed"
              : `${alternatives.length} alternatives that were not needed`}
          </summary>
          <ul className="refusals">
            {keyed(alternatives, nameOf).map(({ key, item }) => (
              <Refusal key={key} of={item} fresh={isNew?.(item) === true} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

const nameOf = ({ service, engine, devices, code }: Rejection): string =>
  [service, engine, ...devices, code].join(" ");

function Refusal({ of, fresh }: { readonly of: Rejection; readonly fresh: boolean }) {
  const { service, engine, model, devices, code, reason, hint, source, alternative } = of;
  const tone = alternative === true ? "note" : "error";
  const on = devices.length === 0 ? "" : ` on ${devices.join(", ")}`;
  return (
    <li className={`notice notice-${tone}`}>
      <strong>
        {service} with {engine}
        {on}
      </strong>{" "}
      <code>{code}</code> {fresh && <span className="badge badge-error">new</span>}
      <p className="quiet">Model {model}</p>
      <p>{reason}</p>
      {hint !== "" && (
        <p className="remedy">
          <span aria-hidden="true">→ </span>
          <span className="unseen">Remedy: </span>
          {hint}
        </p>
      )}
      {source !== undefined && (
        <p className="quiet">
          Source: <LinkedText text={source} />
        </p>
      )}
    </li>
  );
}
