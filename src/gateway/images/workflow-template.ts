import { z } from "zod";

import type { PlaceholderName } from "./placeholders.ts";
import { isPlaceholder, PLACEHOLDERS, placeholdersIn } from "./placeholders.ts";

const node = z.looseObject({ class_type: z.string().min(1), inputs: z.record(z.string(), z.json()) });
const workflow = z.record(z.string(), node);

export type WorkflowNode = z.output<typeof node>;
export type WorkflowNodes = Readonly<Record<string, WorkflowNode>>;

/** A workflow whose open places are known. */
export interface WorkflowTemplate {
  readonly nodes: WorkflowNodes;
  /** Placeholders in it, with the default of the first that has one. */
  readonly uses: ReadonlyMap<PlaceholderName, string | undefined>;
  /** Nodes whose images are the answer. */
  readonly outputs: readonly string[];
}

/** What is wrong with a template, each with its place (`6.inputs.text`). */
export interface TemplateFault {
  readonly place: string;
  readonly message: string;
}

/** Nodes that give images to whoever asks for their result: ComfyUI's two, and packs that name theirs alike. */
const gives = (type: string): boolean =>
  /(?:save|preview)_?\s?image|image_?\s?(?:save|preview)/i.test(type) && type !== "SaveImageWebsocket";

const MOST_FAULTS = 20;

/** Reads a parsed template; every fault is reported. Pure. */
export function parseWorkflow(value: unknown): WorkflowTemplate | readonly TemplateFault[] {
  if (typeof value === "object" && value !== null && "nodes" in value && "links" in value)
    return [fault("", "it is a workflow as the editor saves it; export it with Export (API)")];
  const parsed = workflow.safeParse(value);
  if (!parsed.success)
    return parsed.error.issues
      .slice(0, MOST_FAULTS)
      .map(({ path, message }) => fault(path.join("."), `it is no node of ComfyUI's API format: ${message}`));
  const nodes = parsed.data;
  const faults: TemplateFault[] = [];
  const uses = new Map<PlaceholderName, string | undefined>();
  for (const [id, { inputs }] of Object.entries(nodes))
    for (const [name, input] of Object.entries(inputs))
      look(input, `${id}.inputs.${name}`, nodes, uses, faults);
  const outputs = Object.keys(nodes).filter((id) => gives(nodes[id]?.class_type ?? ""));
  if (outputs.length === 0)
    faults.push(fault("", "it has no SaveImage or PreviewImage node, so that nothing would come of it"));
  if (!uses.has("prompt") && !uses.has("image"))
    faults.push(
      fault("", "it holds neither {{prompt}} nor {{image}}: every request would make the same image"),
    );
  return faults.length > 0 ? faults.slice(0, MOST_FAULTS) : { nodes, uses, outputs };
}

const fault = (place: string, message: string): TemplateFault => ({ place, message });

function look(
  value: z.core.util.JSONType,
  place: string,
  nodes: WorkflowNodes,
  uses: Map<PlaceholderName, string | undefined>,
  faults: TemplateFault[],
): void {
  if (typeof value === "string") lookAtText(value, place, uses, faults);
  else if (Array.isArray(value)) {
    const [from, output] = value;
    // `["4", 0]` is a link to the first output of node 4.
    if (
      value.length === 2 &&
      typeof from === "string" &&
      typeof output === "number" &&
      nodes[from] === undefined
    )
      faults.push(fault(place, `it is linked to node ${from}, which is not there`));
    else for (const [index, item] of value.entries()) look(item, `${place}.${index}`, nodes, uses, faults);
  } else if (typeof value === "object" && value !== null)
    for (const [name, item] of Object.entries(value)) look(item, `${place}.${name}`, nodes, uses, faults);
}

function lookAtText(
  text: string,
  place: string,
  uses: Map<PlaceholderName, string | undefined>,
  faults: TemplateFault[],
): void {
  for (const { name, fallback } of placeholdersIn(text)) {
    if (!isPlaceholder(name)) {
      const known = Object.keys(PLACEHOLDERS).map((each) => `{{${each}}}`);
      faults.push(fault(place, `{{${name}}} is no placeholder; there are ${known.join(", ")}`));
    } else if (
      fallback !== undefined &&
      PLACEHOLDERS[name] === "number" &&
      !/^\s*\d{1,16}\s*$/.test(fallback)
    )
      faults.push(fault(place, `the default of {{${name}:${fallback}}} is no whole number`));
    else uses.set(name, uses.get(name) ?? fallback);
  }
}
