import type { Diagnostic } from "../core/index.ts";
import type { Served } from "./gateway-services.ts";

/** A file that the gateway's own spec names, at a path relative to that spec. */
export interface GatewayFile {
  readonly path: string;
  readonly content: string;
}

/** Folder beside the gateway's spec. */
const FOLDER = "workflows";

/**
 * Templates of all services that the gateway calls, by the path that the owner's spec names. A file goes by its own name,
 * and a second one of that name by a number too. Those that nobody could read are not among them.
 */
export function workflowFiles(served: Served): ReadonlyMap<string, GatewayFile> {
  const taken = new Set<string>();
  const files = new Map<string, GatewayFile>();
  for (const { file } of workflowsOf(served)) {
    const content = served.workflows?.get(file);
    if (content === undefined || files.has(file)) continue;
    const path = `${FOLDER}/${freeFile(file, taken)}`;
    files.set(file, { path, content });
  }
  return files;
}

/** The workflows of a service as its gateway finds them; nothing where there is none. */
export function gatewayWorkflows(
  served: Served,
  service: string,
): { readonly workflows?: Readonly<Record<string, string>> } {
  const files = workflowFiles(served);
  const found = Object.entries(served.spec.services[service]?.workflows ?? {}).flatMap(([model, file]) => {
    const path = files.get(file)?.path;
    return path === undefined ? [] : [[model, path] as const];
  });
  return found.length === 0 ? {} : { workflows: Object.fromEntries(found) };
}

/** Templates that could not be read where the spec is rendered: nobody could make images by them. */
export const workflowsLeftOut = (served: Served): readonly Diagnostic[] =>
  served.workflows === undefined
    ? []
    : workflowsOf(served)
        .filter(({ file }) => served.workflows?.has(file) === false)
        .map(({ service, model, file }) => ({
          code: "render.needs-value",
          severity: "warning",
          path: `services.${service}.workflows.${model}`,
          message: `${file} cannot be read here, so the gateway has no workflow for ${model} and answers requests for it as for a model that it does not know.`,
          hint: "Put the file there, relative to omni.yaml, and render again.",
        }));

/** What every service of the spec names, in the spec's order. */
const workflowsOf = ({
  spec,
}: Served): readonly { readonly service: string; readonly model: string; readonly file: string }[] =>
  Object.entries(spec.services).flatMap(([service, { workflows = {} }]) =>
    Object.entries(workflows).map(([model, file]) => ({ service, model, file })),
  );

/** The file's own name in letters that every system, shell and ConfigMap takes. */
function freeFile(file: string, taken: Set<string>): string {
  const base = file.slice(file.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9._-]/g, "-");
  const stem = base.replace(/^[.-]+/, "").replace(/\.json$/, "") || "workflow";
  let name = `${stem}.json`;
  for (let turn = 2; taken.has(name); turn += 1) name = `${stem}-${turn}.json`;
  taken.add(name);
  return name;
}
