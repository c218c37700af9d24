import { messageOf, OmniError } from "../../../core/index.ts";
import type { TalosGuest } from "../../../render/talos/talos-guest.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { placeOf } from "../metal/host-step.ts";
import { carrierOf, talosImage } from "./carried-guest.ts";
import type { TalosImage } from "./carried-guest.ts";
import { isoOnHost } from "./image-on-host.ts";

/** Milliseconds of one question to the factory. */
const ASK = 60_000;

/** `schematic/GUEST`: the image factory knows the schematic under the id that was computed here. */
export function schematicStep(own: TalosGuest, input: RunbookInput): Step {
  const image = talosImage(own);
  const known = (context: StepContext): Promise<Observation> => look(own, image, input, context);
  return {
    id: `schematic/${own.name}`,
    phase: "image",
    title: `Schematic of ${own.name} at ${image.factory}`,
    asked: `guests.${own.name}.talos`,
    needs: [],
    inputs: { factory: image.factory, schematic: image.schematic },
    timeout: 3 * ASK,
    retries: { times: 3, delay: 10_000 },
    precheck: () => (image.id === undefined ? Promise.reject(withoutId(own)) : Promise.resolve()),
    verify: known,
    apply: (context) => post(image, context),
    preview: [`POST the schematic to ${image.factory}/schematics; expected id: ${image.id ?? "unknown"}`],
  };
}

const withoutId = ({ name }: TalosGuest): OmniError =>
  new OmniError(
    "guest.image-factory",
    `The id of the schematic of ${name} cannot be computed without the factory.`,
    {
      hint: `Run talos/${name}/schematic-id.sh of the rendered files once, and see why: its kernel arguments or meta values need quotes.`,
    },
  );

async function look(
  own: TalosGuest,
  image: TalosImage,
  { deployment }: RunbookInput,
  context: StepContext,
): Promise<Observation> {
  const { id, iso, factory } = image;
  if (id === undefined) return { done: false, missing: "its id is not known without the factory" };
  const carrier = carrierOf(deployment, own.name);
  if (carrier !== undefined && iso !== undefined) {
    const bytes = await isoOnHost(context, await context.host(placeOf(carrier.host)), iso);
    if (bytes !== undefined)
      return { done: true, evidence: [`${iso.path} is there (${bytes} bytes); the factory is not asked`] };
  }
  const { status } = await ask(`${factory}/schematics/${id}`, {}, context.signal);
  if (status === 200) return { done: true, evidence: [`${factory}/schematics/${id}: 200`] };
  if (status === 404) return { done: false, missing: `${factory} does not know ${id}` };
  throw new OmniError("guest.image-factory", `${factory}/schematics/${id} answers ${status}.`);
}

async function post({ factory, schematic, id }: TalosImage, { signal }: StepContext): Promise<void> {
  const headers = { "content-type": "application/yaml" };
  const { status, text } = await ask(
    `${factory}/schematics`,
    { method: "POST", headers, body: schematic },
    signal,
  );
  const answered = /"id"\s*:\s*"([0-9a-f]{64})"/.exec(text)?.[1];
  if (status >= 300 || answered === undefined)
    throw new OmniError(
      "guest.image-factory",
      `${factory}/schematics answers ${status}: ${text.slice(0, 300)}`,
    );
  if (answered !== id)
    throw new OmniError(
      "guest.image-factory",
      `${factory} answers the id ${answered}, computed was ${id ?? "none"}: its images are not those of the spec.`,
      {
        hint: "A factory of another version writes schematics differently; use factory.talos.dev, or set guest.talos.schematic.",
      },
    );
}

/** Throws `OmniError` `guest.image-factory` where nothing answers. */
async function ask(
  url: string,
  request: RequestInit,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, {
      ...request,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ASK)]),
    });
    return { status: response.status, text: await response.text() };
  } catch (thrown) {
    signal.throwIfAborted();
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    throw new OmniError("guest.image-factory", `${url} cannot be asked: ${messageOf(cause)}`, {
      cause: thrown,
    });
  }
}
