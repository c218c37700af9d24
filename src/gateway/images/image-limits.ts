import { GIB, MIB } from "../../core/index.ts";

/** Bounds of images. Sizes are bytes, times milliseconds. */
export interface ImageLimits {
  /** Images of one request, as OpenAI's. */
  readonly images: number;
  readonly promptCharacters: number;
  /** Of one side, pixels; the product of both is bounded by its square too. */
  readonly side: number;
  readonly steps: number;
  /** Images that an edit sends, and the size of one. */
  readonly inputs: number;
  readonly inputBytes: number;
  /** The whole body of an edit; it is held in memory. */
  readonly requestBytes: number;
  /** One image that an engine makes. */
  readonly outputBytes: number;
  /** Requests that make images or wait for it. */
  readonly requests: number;
  /** From a workflow's start to its end; loading a large model may be the most of it. */
  readonly runTime: number;
  /** How long a request waits for a service that is not ready. */
  readonly loadingWait: number;
  /** Runs of one workflow, the first included. */
  readonly attempts: number;
  /** Answers by `url`: how long they are kept, and how much of them. */
  readonly keptTime: number;
  readonly keptBytes: number;
  /** How long a stream is silent before it hears that it waits. */
  readonly silentWait: number;
}

export const IMAGE_LIMITS: ImageLimits = {
  images: 10,
  promptCharacters: 32_000,
  side: 4096,
  steps: 200,
  inputs: 4,
  inputBytes: 24 * MIB,
  requestBytes: 48 * MIB,
  outputBytes: 32 * MIB,
  requests: 32,
  runTime: 900_000,
  loadingWait: 300_000,
  attempts: 3,
  keptTime: 3_600_000,
  keptBytes: GIB,
  silentWait: 3000,
};
