import { dirname, relative } from "node:path";
import { Document, isCollection, isMap, isScalar, isSeq, stringify, visit } from "yaml";
import type { MachineInventory } from "../inventory/index.ts";
import { serviceName } from "../spec/index.ts";
import { metalOf } from "./init-metal.ts";
import type { Section, Typed, TypedMap } from "./init-typed.ts";
import type { Choice } from "./init-services.ts";

export interface InitInput {
  readonly machine: MachineInventory;
  readonly choice: Choice;
  /** Path of the file to be: models beside it are named relative to it. */
  readonly file: string;
  /** Sentences on what runs the engines, and why. */
  readonly runtime: readonly string[];
}

/** What is said about a part of the document: above it, behind it on its line, or below its last entry. */
interface Remark {
  readonly at: readonly string[];
  readonly where: "above" | "beside" | "below";
  readonly text: string;
}

const DEMO = "omni-demo";
/** The best service gets the cards when not all can; 9 is left for the owner to say more. */
const FIRST_PRIORITY = 8;

/** Lists and small maps that read better on one line. */
const ON_ONE_LINE = new Set(["features", "ids", "link", "hugepages", "engine", "capabilities", "swap"]);

/** Keys that stand together at the top; every section after them has a blank line before it. */
const TOP_LINES = new Set(["omni", "name"]);

function onOneLine(key: unknown, value: unknown): void {
  if (!isScalar(key) || !isCollection(value)) return;
  if (ON_ONE_LINE.has(String(key.value))) value.flow = true;
  if (key.value === "numa" && isSeq(value))
    for (const node of value.items) if (isCollection(node)) node.flow = true;
}

/** The text of a commented spec for a machine and its services; `loadSpec` reads it without an error. */
export function initDocument(input: InitInput): string {
  const metal = metalOf(
    input.machine,
    input.choice.services.map(({ model }) => model.path),
  );
  const { value, remarks } = servicesOf(input);
  const name = serviceName(input.machine.hostname);
  const document = new Document(
    {
      omni: 1,
      ...(name === "" ? {} : { name }),
      metal: {
        ...(Object.keys(metal.cpu).length === 0 ? {} : { cpu: metal.cpu }),
        memory: metal.memory,
        ...(metal.driver === undefined ? {} : { driver: metal.driver }),
        ...sectionOf("gpus", metal.gpus),
        ...sectionOf("disks", metal.disks),
      },
      runtime: "process",
      ...value,
    },
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = lines([
    "What this node is and what it serves. Written by ./omni init; change it as you like.",
    "./omni check FILE finds mistakes, ./omni plan FILE says what fits, ./omni up FILE runs it.",
  ]);
  for (const remark of [
    {
      at: ["metal"],
      where: "above",
      text: "The machine as it was found. What is not written here is detected at every start.",
    },
    ...(input.machine.notes.map(({ probe, message }) => ({
      at: ["metal"],
      where: "above",
      text: `${probe}: ${message}`,
    })) satisfies Remark[]),
    ...remarksOn(["metal", "gpus"], metal.gpus),
    ...remarksOn(["metal", "disks"], metal.disks),
    ...input.runtime.map((text) => ({ at: ["runtime"], where: "above", text }) satisfies Remark),
    ...remarks,
  ] satisfies Remark[])
    addRemark(document, remark);
  if (isMap(document.contents))
    for (const { key } of document.contents.items)
      if (isScalar(key)) key.spaceBefore = !TOP_LINES.has(String(key.value));
  visit(document, { Pair: (_, { key, value }) => onOneLine(key, value) });
  // Folded texts would be hard to edit.
  return document.toString({ lineWidth: 0 });
}

/** A section with entries; one that has only things left out would be an empty map, which says nothing. */
const sectionOf = (key: string, { value }: Section): TypedMap =>
  Object.keys(value).length === 0 ? {} : { [key]: value };

function remarksOn(at: readonly string[], { value, about, leftOut }: Section): Remark[] {
  const empty = Object.keys(value).length === 0;
  return [
    ...Object.entries(about).map(
      ([key, text]) => ({ at: [...at, key], where: "above", text }) satisfies Remark,
    ),
    ...leftOut.map(
      (text) => ({ at: empty ? ["metal"] : at, where: empty ? "above" : "below", text }) satisfies Remark,
    ),
  ];
}

function servicesOf({ choice, file }: InitInput): {
  readonly value: TypedMap;
  readonly remarks: readonly Remark[];
} {
  if (choice.services.length === 0) {
    const text =
      "No model was found that fits; this is the demo that ships with Omni. Your own: NAME: ./model.gguf";
    return {
      value: {
        models: { [DEMO]: `builtin:${DEMO}` },
        services: { [DEMO]: { model: DEMO } },
      },
      remarks: [{ at: ["models"], where: "above", text }, ...leftOutRemarks(choice.leftOut, file)],
    };
  }
  const together = choice.services.some(({ devices }) => devices === "auto");
  const models: Record<string, Typed> = {};
  const services: Record<string, Typed> = {};
  const remarks: Remark[] = [];
  for (const [place, service] of choice.services.entries()) {
    const { model, name } = service;
    const trained = model.shape?.trainedContext ?? 0;
    models[model.name] = service.embeddings
      ? { source: sourceOf(model.path, file), capabilities: ["embeddings"] }
      : sourceOf(model.path, file);
    services[name] = {
      model: model.name,
      engine: service.engine.length === 1 ? (service.engine[0] ?? "") : service.engine,
      devices: service.devices,
      context: service.contextTokens,
      ...(together && choice.services.length > 1 ? { priority: FIRST_PRIORITY - place } : {}),
    };
    remarks.push({ at: ["services", name], where: "above", text: service.why });
    if (trained > 0)
      remarks.push({
        at: ["services", name, "context"],
        where: "beside",
        text: `trained for ${trained}; auto takes what fits`,
      });
  }
  if (together)
    remarks.push({
      at: ["policies"],
      where: "above",
      text: "All services fit at once. With swap: { mode: auto } those that do not would take turns on the cards.",
    });
  return {
    value: { models, services, ...(together ? { policies: { swap: { mode: "off" } } } : {}) },
    remarks: [...remarks, ...leftOutRemarks(choice.leftOut, file)],
  };
}

/** Models that are not served stand below the others as comments that become entries without their `# `. */
function leftOutRemarks(leftOut: Choice["leftOut"], file: string): Remark[] {
  return leftOut.flatMap(({ model, why }) => [
    belowModels(`Not served: ${shortened(why)}`),
    belowModels(stringify({ [model.name]: sourceOf(model.path, file) }, { lineWidth: 0 }).trim()),
  ]);
}

/** A refusal that names six cards is for ./omni plan; here its beginning says enough. */
const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

const belowModels = (text: string): Remark => ({ at: ["models"], where: "below", text });

/** A model's path as the spec takes it: relative when it lies beside the spec or below, so that both can move together. */
function sourceOf(path: string, file: string): string {
  const beside = relative(dirname(file), path);
  return beside.startsWith("..") || beside.startsWith("/") ? path : `./${beside}`;
}

function addRemark(document: Document, { at, where, text }: Remark): void {
  const parent = at.length === 1 ? document.contents : document.getIn(at.slice(0, -1), true);
  if (!isMap(parent)) return;
  const pair = parent.items.find(({ key }) => isScalar(key) && key.value === at.at(-1));
  if (pair === undefined || !isScalar(pair.key)) return;
  const comment = lines([text]);
  const add = (before: string | null | undefined): string => (before ? `${before}\n${comment}` : comment);
  if (where === "above") {
    pair.key.commentBefore = add(pair.key.commentBefore);
  } else if (isMap(pair.value) || isScalar(pair.value)) pair.value.comment = add(pair.value.comment);
}

/** Comment lines; names of hardware and files may hold anything, and a comment ends at the end of its line. */
const lines = (texts: readonly string[]): string =>
  texts.map((text) => ` ${text.replaceAll(/[\p{C}\u2028\u2029]+/gu, " ").trim()}`).join("\n");
