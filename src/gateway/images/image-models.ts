import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";

import type { Diagnostic } from "../../core/index.ts";
import { formatBytes, messageOf, MIB, OmniError } from "../../core/index.ts";
import type { TemplateFault, WorkflowTemplate } from "./workflow-template.ts";
import { parseWorkflow } from "./workflow-template.ts";

/** One service that makes images under a model's name, and how. */
export interface ImageModel {
  readonly service: string;
  readonly workflow: WorkflowTemplate;
}

/** Who makes images, by the names that clients ask for; services in the order of the spec. */
export type ImageModels = ReadonlyMap<string, readonly ImageModel[]>;

const MOST_BYTES = 4 * MIB;

/**
 * Reads the templates of all services, `folder` being the spec's. A service of one template answers to its own name too.
 * Throws OmniError `workflow.unreadable` or `workflow.invalid` with a diagnostic for every fault of every template.
 */
export function readImageModels(
  services: Readonly<Record<string, { readonly workflows?: Readonly<Record<string, string>> | undefined }>>,
  folder: string,
): ImageModels {
  const models = new Map<string, ImageModel[]>();
  const errors: OmniError[] = [];
  const add = (name: string, model: ImageModel): void =>
    void models.set(name, [...(models.get(name) ?? []), model]);
  for (const [service, { workflows = {} }] of Object.entries(services)) {
    const names = Object.entries(workflows);
    for (const [name, file] of names) {
      try {
        const path = resolve(folder, file.replace(/^~(?=\/)/, homedir()));
        const model = { service, workflow: readWorkflow(path, `services.${service}.workflows.${name}`) };
        add(name, model);
        if (names.length === 1 && name !== service) add(service, model);
      } catch (error) {
        if (!(error instanceof OmniError)) throw error;
        errors.push(error);
      }
    }
  }
  const [first] = errors;
  if (first === undefined) return models;
  throw new OmniError(first.code, errors.map(({ message }) => message).join("\n"), {
    hint: first.hint,
    diagnostics: errors.flatMap(({ diagnostics }) => diagnostics),
  });
}

/** A template from its file; `place` is where the spec names it. Throws as `readImageModels`. */
function readWorkflow(path: string, place: string): WorkflowTemplate {
  const read = parseWorkflow(parse(readText(path, place), path, place));
  if ("nodes" in read) return read;
  throw invalid(path, place, read);
}

function readText(path: string, place: string): string {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new Error(
        `it has ${formatBytes(size)}, and no workflow has more than ${formatBytes(MOST_BYTES)}`,
      );
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `The workflow ${path} (${place}) cannot be read: ${messageOf(cause)}.`;
    const diagnostics = [diagnostic("workflow.unreadable", message, path, place)];
    throw new OmniError("workflow.unreadable", message, { cause, diagnostics });
  }
}

function parse(text: string, path: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(path, place, [{ place: "", message: `it is no JSON: ${messageOf(error)}` }]);
  }
}

function invalid(path: string, place: string, faults: readonly TemplateFault[]): OmniError {
  const messages = faults.map(({ place: node, message }) =>
    node === "" ? message : `at ${node}: ${message}`,
  );
  return new OmniError("workflow.invalid", `The workflow ${path} (${place}): ${messages.join("; ")}.`, {
    diagnostics: messages.map((message) => diagnostic("workflow.invalid", message, path, place)),
  });
}

const diagnostic = (code: Diagnostic["code"], message: string, file: string, path: string): Diagnostic => ({
  code,
  severity: "error",
  message,
  file,
  path,
});
