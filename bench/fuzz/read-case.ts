import { z } from "zod";

import type { FuzzCase } from "./fuzz-case.ts";

const header = z.tuple([z.string(), z.string()]);
const places = z.array(z.int());

const request = z.object({
  method: z.string(),
  target: z.string(),
  headers: z.array(header),
  body: z.string(),
  framing: z.enum(["none", "length", "chunked"]),
  raw: z.string().exactOptional(),
});

const script = z.object({
  status: z.string(),
  headers: z.array(header),
  body: z.string(),
  framing: z.enum(["length", "chunked", "close"]),
  raw: z.string().exactOptional(),
  cut: z.int().exactOptional(),
  places,
  leave: z.enum(["keep", "end", "reset", "stall"]),
});

const fuzzCase = z.object({
  index: z.int(),
  requests: z.array(request),
  places,
  hangUp: z
    .object({ after: z.enum(["sent", "received"]), bytes: z.int(), how: z.enum(["end", "reset"]) })
    .exactOptional(),
  scripts: z.record(z.string(), script),
});

/** A case as it was written down. Throws where it is none. */
export const readCase = (text: string): FuzzCase => fuzzCase.parse(JSON.parse(text));
