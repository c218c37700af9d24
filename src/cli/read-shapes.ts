import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { findModelFamily } from "../catalog/index.ts";
import { CODES, messageOf, OmniError } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import {
  declaredDimensions,
  describedShape,
  readGgufShape,
  readHubShape,
  readProjectorBytes,
  readModelFolder,
} from "../models/index.ts";
import type { ModelShape } from "../models/index.ts";
import type { Spec } from "../spec/index.ts";
import { localPath, readSecretOf } from "./node-spec.ts";
import type { LocatedSpec } from "./node-spec.ts";

type Model = Spec["models"][string];

/** Shapes of a spec's models, the files they were read from, and what had to be assumed. */
export interface ReadShapes {
  readonly shapes: ReadonlyMap<string, ModelShape | OmniError>;
  /** Files on this machine by the model's name. */
  readonly paths: ReadonlyMap<string, string>;
  /** LoRA adapters on this machine by the model's name, bytes of all of a model's files together. */
  readonly adapters: ReadonlyMap<string, number>;
  readonly notes: readonly Diagnostic[];
}

/** How shapes are read: which hubs and files may be asked. */
interface Reading {
  readonly located: LocatedSpec;
  readonly online: boolean;
  /** Which files on this machine may be opened, or looked for. */
  readonly mayOpen: (path: string) => boolean;
}

/** Where a source is on this machine, when it is to be looked for there. */
function openPath(source: Model["source"], { located, mayOpen }: Reading): string | undefined {
  const path = localPath(source, located.folder);
  return path === undefined || !mayOpen(path) ? undefined : path;
}

/** The smallest GGUF quantization there is: what a model of unknown quantization needs at least. */
const SMALLEST_GGUF = "IQ1_S";

/**
 * What every model of the spec is made of: from its file when it is on this machine, from the hub's headers with
 * `online`, from the catalog's known families or the spec's own `shape` otherwise. A model that nothing tells about has an
 * `OmniError` in its place; nothing is thrown.
 */
export async function readShapes(
  located: LocatedSpec,
  online: boolean,
  mayOpen: Reading["mayOpen"] = () => true,
): Promise<ReadShapes> {
  const reading = { located, online, mayOpen };
  const shapes = new Map<string, ModelShape | OmniError>();
  const paths = new Map<string, string>();
  const adapters = new Map<string, number>();
  const notes: Diagnostic[] = [];
  for (const [name, model] of Object.entries(located.spec.models)) {
    if (model.source.remote !== undefined) continue;
    const path = openPath(model.source, reading);
    const found = await shapeOf(model, path, reading).catch(asOmniError);
    const shape =
      found instanceof OmniError
        ? found
        : await withProjector(found.shape, model, reading).catch(asOmniError);
    shapes.set(name, shape);
    if (path !== undefined && !(shape instanceof OmniError) && shape.origin === "file") paths.set(name, path);
    const beside = await besideModel(name, model, reading);
    if (beside.adapterBytes > 0) adapters.set(name, beside.adapterBytes);
    notes.push(...beside.notes);
    if (!(found instanceof OmniError) && found.note !== undefined)
      notes.push(noteOn(name, found.note, located));
  }
  return { shapes, paths, adapters, notes };
}

/** The shape with the multimodal projector that is loaded beside it, where that is a file of its own on this machine. */
async function withProjector(shape: ModelShape, { projector }: Model, reading: Reading): Promise<ModelShape> {
  const path = projector === undefined ? undefined : openPath(projector, reading);
  if (path === undefined) return shape;
  return { ...shape, projectorBytes: shape.projectorBytes + (await readProjectorBytes(path)) };
}

/** Adapters of a model on this machine, and a note for each file beside it whose size nothing here tells. */
async function besideModel(
  name: string,
  { adapters = [], projector }: Model,
  reading: Reading,
): Promise<{ readonly adapterBytes: number; readonly notes: readonly Diagnostic[] }> {
  const notes: Diagnostic[] = [];
  const miss = (what: string, path: (string | number)[]): void => {
    notes.push({
      code: "plan.not-counted",
      severity: "note",
      ...reading.located.locate(["models", name, ...path]),
      message: `${what} of ${name} is not on this machine, so its memory is not counted.`,
      hint: CODES["plan.not-counted"].remedy,
    });
  };
  let adapterBytes = 0;
  for (const [index, adapter] of adapters.entries()) {
    const path = openPath(adapter, reading);
    const size = path === undefined ? undefined : await sizeOf(path).catch(() => undefined);
    if (size === undefined) miss("An adapter", ["adapters", index]);
    else adapterBytes += size;
  }
  if (projector !== undefined && openPath(projector, reading) === undefined)
    miss("The projector", ["projector"]);
  return { adapterBytes, notes };
}

/** Bytes of a file, or of the files of a folder. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const names = await readdir(path);
  const sizes = await Promise.all(names.map(async (entry) => (await stat(join(path, entry))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

interface Found {
  readonly shape: ModelShape;
  readonly note?: string;
}

async function shapeOf(model: Model, path: string | undefined, { located, online }: Reading): Promise<Found> {
  const local = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path !== undefined && local !== undefined)
    return { shape: await (local.isDirectory() ? readModelFolder(path) : readGgufShape(path)) };
  const { hub } = model.source;
  if (hub !== undefined && online) return { shape: await fromHub(model, hub, located) };
  const known = fromDescription(model);
  if (known !== undefined) return known;
  if (path !== undefined) return { shape: await readGgufShape(path) };
  if (model.source.file !== undefined && localPath(model.source, located.folder) !== undefined) {
    throw new OmniError("model.no-shape", "its file is none of those that may be opened here", {
      hint: "Add family: (a known model) or shape:, or plan the spec with ./omni plan.",
    });
  }
  throw new OmniError(
    "model.no-shape",
    hub === undefined
      ? "its files are not on this machine, and neither family nor shape says what it is"
      : `the catalog does not know ${hub}, and its headers were not asked for`,
    {
      hint:
        hub === undefined
          ? "Add family: (a known model) or shape: to plan without the file."
          : "Run with --online to read its headers from the hub, or add family: or shape:.",
    },
  );
}

async function fromHub(model: Model, repo: string, { folder }: LocatedSpec): Promise<ModelShape> {
  const { revision, quantization, files, endpoint, token } = model.source;
  const secret = token === undefined ? undefined : await readSecretOf(token, folder);
  return readHubShape({
    repo,
    ...(revision === undefined ? {} : { revision }),
    ...((quantization ?? model.quantization) === undefined
      ? {}
      : { quantization: quantization ?? model.quantization ?? "" }),
    ...(files === undefined ? {} : { files }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(secret === undefined ? {} : { token: secret }),
  });
}

/** The shape by published dimensions: the spec's own, the family it names, or the family that its repository is named after. */
function fromDescription(model: Model): Found | undefined {
  const { source } = model;
  const gguf =
    model.format === "gguf" ||
    [source.file, source.hub, source.path, ...(source.files ?? [])].some(
      (name) => name !== undefined && /gguf/i.test(name),
    );
  const format = model.format ?? (gguf ? "gguf" : "safetensors");
  const stated = model.quantization ?? source.quantization;
  // Safetensors of unstated quantization are as their publisher made them.
  const quantization = stated ?? (format === "gguf" ? SMALLEST_GGUF : undefined);
  const name = model.family ?? source.hub;
  const family = name === undefined ? undefined : findModelFamily(name);
  const dimensions = model.shape === undefined ? family?.dimensions : declaredDimensions(model.shape);
  if (dimensions === undefined) return undefined;
  const shape = describedShape(dimensions, {
    quantization,
    format,
    origin: model.shape === undefined ? "catalog" : "spec",
    name,
    parameters: model.shape?.parameters,
    unquantized: model.shape?.activation === "f32" ? 4 : undefined,
  });
  return stated === undefined && format === "gguf"
    ? {
        shape,
        note: `its quantization is not stated; it is counted as ${SMALLEST_GGUF}, the smallest there is, so it will take more`,
      }
    : { shape };
}

const noteOn = (name: string, message: string, located: LocatedSpec): Diagnostic => ({
  code: "model.no-shape",
  severity: "note",
  ...located.locate(["models", name]),
  message: `${name}: ${message}.`,
  hint: "Add quantization: to the model.",
});

function asOmniError(thrown: unknown): OmniError {
  return thrown instanceof OmniError
    ? thrown
    : new OmniError("cli.internal", messageOf(thrown), { cause: thrown });
}
