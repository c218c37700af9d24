import { localPath } from "../../node-spec.ts";
import type { LocatedSpec } from "../../node-spec.ts";
import type { LiveSpec } from "../live-spec.ts";
import type { TrialBase } from "./plan-trial.ts";

/** What trials of the spec in force start from. */
export function trialBase({ located, ground }: LiveSpec): TrialBase {
  const { origin, folder, text } = located;
  const { choice, learned, readings } = ground;
  return { origin, folder, text, choice, learned, observed: readings.observed, files: modelFiles(located) };
}

/** Files on this machine that the models of a spec are read from. */
const modelFiles = ({ spec, folder }: LocatedSpec): readonly string[] =>
  Object.values(spec.models)
    .flatMap(({ source, projector, adapters = [] }) => [
      source,
      ...(projector === undefined ? [] : [projector]),
      ...adapters,
    ])
    .flatMap((source) => localPath(source, folder) ?? []);
