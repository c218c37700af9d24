import { badParameter } from "./api-error.ts";
import { integerField, numberField, objectField, show } from "./fields.ts";
import type { Sampling } from "./sampling.ts";

type Body = Readonly<Record<string, unknown>>;

const MOST_STOPS = 4;
const BIAS = [-100, 100] as const;

/** Reads the sampling parameters. Defaults: those of llama-server, except temperature and top_p, which are OpenAI's. */
export function readSampling(body: Body, vocabulary: number): Sampling {
  const seed = integerField(body, "seed", [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  return {
    temperature: numberField(body, "temperature", [0, 2]) ?? 1,
    topP: numberField(body, "top_p", [0, 1]) ?? 1,
    topK: integerField(body, "top_k", [0, 1_000_000]) ?? 40,
    minP: numberField(body, "min_p", [0, 1]) ?? 0,
    // The sampler's seed has 32 bits; a negative one means "any", as llama-server has it.
    seed: seed === undefined || seed < 0 ? undefined : seed % 2 ** 32,
    presencePenalty: numberField(body, "presence_penalty", [-2, 2]) ?? 0,
    frequencyPenalty: numberField(body, "frequency_penalty", [-2, 2]) ?? 0,
    repeatPenalty:
      numberField(body, "repeat_penalty", [0.01, 10]) ??
      numberField(body, "repetition_penalty", [0.01, 10]) ??
      1,
    repeatLastTokens: integerField(body, "repeat_last_n", [0, 65_536]) ?? 64,
    logitBias: readBias(body, vocabulary),
  };
}

function readBias(body: Body, vocabulary: number): ReadonlyMap<number, number> {
  const field = objectField(body, "logit_bias");
  const biases = new Map<number, number>();
  for (const [key, value] of Object.entries(field ?? {})) {
    const token = Number(key);
    if (!Number.isInteger(token) || token < 0 || token >= vocabulary) {
      throw badParameter(
        "logit_bias",
        `logit_bias names token ${show(key)}; this model has tokens 0 to ${vocabulary - 1}.`,
      );
    }
    if (typeof value !== "number" || value < BIAS[0] || value > BIAS[1]) {
      throw badParameter(
        "logit_bias",
        `logit_bias of token ${key} is ${show(value)}; it must be from -100 to 100.`,
      );
    }
    // OpenAI: ±100 means ban or force.
    biases.set(token, value === BIAS[0] ? Number.NEGATIVE_INFINITY : value);
  }
  return biases;
}

/** Reads `stop`: a string or up to four, none of them empty. */
export function readStops(body: Body): string[] {
  const field = body["stop"];
  if (field === undefined || field === null) return [];
  const stops: unknown[] = Array.isArray(field) ? field : [field];
  if (stops.length > MOST_STOPS) {
    throw badParameter("stop", `stop has ${stops.length} strings; at most ${MOST_STOPS} are allowed.`);
  }
  return stops.map((stop) => {
    if (typeof stop === "string" && stop !== "") return stop;
    throw badParameter(
      "stop",
      `stop contains ${show(stop)}; it must be a non-empty string or a list of such.`,
    );
  });
}

/** Reads `max_completion_tokens` or its older name `max_tokens`; `undefined` means as many as the context holds. */
export function readMaxTokens(body: Body): number | undefined {
  const range = [1, Number.MAX_SAFE_INTEGER] as const;
  return integerField(body, "max_completion_tokens", range) ?? integerField(body, "max_tokens", range);
}

/** Reads `n`, the number of choices; the caller says how many at most. */
export function readChoices(body: Body, most: number): number {
  const n = integerField(body, "n", [1, 1_000_000]) ?? 1;
  if (n <= most) return n;
  throw badParameter("n", `n is ${n}; this service generates at most ${most} at the same time.`);
}
