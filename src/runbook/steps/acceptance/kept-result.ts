import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../../../render/index.ts";
import type { StepContext } from "../../step.ts";

const RESULT = z.object({
  /** Milliseconds since the epoch. */
  time: z.number(),
  /** Of the inputs that it was measured with. */
  inputs: z.string(),
  evidence: z.array(z.string()),
});
type KeptResult = z.infer<typeof RESULT>;

const MOST_BYTES = 2 ** 20;
const hashOf = (inputs: unknown): string => sha256(JSON.stringify(inputs));

/** One file for each measurement of a deployment. */
const pathOf = (workFolder: string, id: string): string =>
  join(workFolder, "acceptance", `${id.replaceAll(/[^a-z0-9.-]/gi, "_")}-${sha256(id).slice(0, 8)}.json`);

/** What was measured with these very inputs; `undefined` where nothing was, or another version wrote it otherwise. */
export async function keptResult(
  context: StepContext,
  { workFolder, id, inputs }: { readonly workFolder: string; readonly id: string; readonly inputs: unknown },
): Promise<KeptResult | undefined> {
  const here = await context.host();
  const bytes = await here.readFile(pathOf(workFolder, id), MOST_BYTES);
  if (bytes === undefined) return undefined;
  const read = RESULT.safeParse(parsed(new TextDecoder().decode(bytes)));
  return read.success && read.data.inputs === hashOf(inputs) ? read.data : undefined;
}

/** Keeps a measurement durably in the place of an earlier one. */
export async function keepResult(
  context: StepContext,
  { workFolder, id, inputs }: { readonly workFolder: string; readonly id: string; readonly inputs: unknown },
  evidence: readonly string[],
): Promise<void> {
  const here = await context.host();
  const path = pathOf(workFolder, id);
  await context.run(here, { argv: ["mkdir", "-p", join(workFolder, "acceptance")], timeout: 10_000 });
  const result: KeptResult = { time: Date.now(), inputs: hashOf(inputs), evidence: [...evidence] };
  await here.writeFile(path, `${JSON.stringify(result, null, 2)}\n`, { mode: 0o600 });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
