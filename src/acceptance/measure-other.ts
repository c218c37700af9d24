import { randomUUID } from "node:crypto";
import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { refusalText } from "./client.ts";
import type { RouteMeasuring } from "./measuring.ts";
import { promptNumbers } from "./measure-text.ts";
import { promptOf, wordsFor } from "./prompt.ts";
import { spreadOf } from "./statistics.ts";
import type { TimedAnswer } from "./timed-answer.ts";

const EMBEDDED = z.object({
  data: z.array(z.object({ embedding: z.union([z.array(z.number()).min(1), z.string().min(1)]) })).min(1),
  usage: z.object({ prompt_tokens: z.number() }).partial().nullish(),
});
const DRAWN = z.object({
  data: z
    .array(z.union([z.object({ b64_json: z.string().min(1) }), z.object({ url: z.string().min(1) })]))
    .min(1),
});
const FIRST_WORDS = 100;

/** How long an embedding of each size takes. Throws where even the first fails. */
export async function measureEmbeddings(measuring: RouteMeasuring): Promise<void> {
  const { settings, found, client } = measuring;
  const first = await embed(measuring, FIRST_WORDS);
  found.warmUp = first.ended;
  const counted = { words: FIRST_WORDS, tokens: first.promptTokens ?? FIRST_WORDS };
  if (first.promptTokens === undefined)
    measuring.note("The engine tells no usage: speeds in tokens are left out.");
  for (const aimed of settings.promptTokens)
    await measuring.part(`input of ${aimed} tokens`, async () => {
      const answers: TimedAnswer[] = [];
      try {
        for (let round = 0; round < settings.rounds; round++)
          answers.push(await embed(measuring, wordsFor(aimed, counted)));
      } finally {
        const numbers = promptNumbers({ aimed }, answers);
        if (numbers !== undefined) found.prompts.push(numbers);
      }
    });
  if (settings.concurrency.length > 0)
    measuring.note(`${measuring.model} makes embeddings: no generation and no sweep (${client.origin}).`);
}

async function embed(measuring: RouteMeasuring, words: number): Promise<TimedAnswer> {
  const { client, model } = measuring;
  const began = client.now();
  const answer = await asked(measuring, "/embeddings", {
    model,
    input: promptOf(randomUUID(), words, words),
  });
  const { usage } = shaped(EMBEDDED, answer, "embedding");
  const promptTokens = usage?.prompt_tokens;
  return {
    text: "",
    arrivals: [],
    ended: client.now() - began,
    ...(promptTokens === undefined ? {} : { promptTokens }),
  };
}

/** How long one image takes. Throws where even the first fails. */
export async function measureImages(measuring: RouteMeasuring): Promise<void> {
  const { found, settings, client, model } = measuring;
  const draw = async (): Promise<number> => {
    const began = client.now();
    const body = { model, prompt: `A lighthouse at night, number ${randomUUID()}`, n: 1 };
    shaped(DRAWN, await asked(measuring, "/images/generations", body), "image");
    return client.now() - began;
  };
  found.warmUp = await draw();
  await measuring.part("images", async () => {
    const times: number[] = [];
    try {
      for (let round = 0; round < settings.rounds; round++) times.push(await draw());
    } finally {
      const image = spreadOf(times);
      if (image !== undefined) found.image = image;
    }
  });
}

async function asked(
  { client, signal, traffic, model }: RouteMeasuring,
  path: string,
  body: unknown,
): Promise<unknown> {
  traffic.sent();
  const answer = await client.ask(path, { method: "POST", body, signal });
  if (answer.status === 200) return answer.json;
  throw new OmniError("acceptance.refused", `${model}: ${answer.status} ${refusalText(answer)}`);
}

function shaped<T>(shape: z.ZodType<T>, json: unknown, what: string): T {
  const read = shape.safeParse(json);
  if (read.success) return read.data;
  throw new OmniError("acceptance.bad-answer", `The answer holds no ${what}.`);
}
