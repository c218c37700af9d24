import type { z } from "zod";

import type { PlaceholderName } from "./placeholders.ts";
import { isPlaceholder, PLACEHOLDER_DEFAULTS, PLACEHOLDERS, placeholdersIn } from "./placeholders.ts";
import type { WorkflowNodes, WorkflowTemplate } from "./workflow-template.ts";

/** What a request puts into a template. */
export type WorkflowValues = Readonly<Partial<Record<PlaceholderName, string | number>>>;

type Json = z.core.util.JSONType;

/** The workflow with its placeholders replaced, each text once: what is put in is never read again. Pure. */
export const fillWorkflow = ({ nodes }: WorkflowTemplate, values: WorkflowValues): WorkflowNodes =>
  Object.fromEntries(
    Object.entries(nodes).map(([id, node]) => [
      id,
      {
        ...node,
        inputs: Object.fromEntries(
          Object.entries(node.inputs).map(([name, input]) => [name, fill(input, values)] as const),
        ),
      },
    ]),
  );

/** The value of a placeholder: the request's, the template's default, the usual one. */
export function valueOf(
  name: PlaceholderName,
  values: WorkflowValues,
  fallback: string | undefined,
): string | number {
  const own = fallback === undefined || PLACEHOLDERS[name] === "text" ? fallback : Number(fallback);
  return values[name] ?? own ?? PLACEHOLDER_DEFAULTS[name] ?? "";
}

function fill(value: Json, values: WorkflowValues): Json {
  if (typeof value === "string") return fillText(value, values);
  if (Array.isArray(value)) return value.map((item) => fill(item, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, values)] as const));
}

function fillText(text: string, values: WorkflowValues): Json {
  let filled = "";
  let at = 0;
  for (const { name, fallback, start, end } of placeholdersIn(text)) {
    if (!isPlaceholder(name)) continue;
    const value = valueOf(name, values, fallback);
    if (start === 0 && end === text.length) return value;
    filled += text.slice(at, start) + String(value);
    at = end;
  }
  return filled + text.slice(at);
}
