import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { withFacts } from "./scalars/facts.ts";
import { cpuSet, freeName, labelName, networkName, path, port, text } from "./scalars/identities.ts";
import { autoOr, autoOrTokens, bytes, duration, fraction, tokens, whole } from "./scalars/quantities.ts";
import { environment } from "./scalars/secret.ts";
import { atLeastOne, exactlyOne } from "./scalars/choice.ts";
import { DEFAULTS } from "./default-values.ts";
import { CAPABILITIES } from "./models.ts";
import { ladderSchema, restartSchema } from "./policies.ts";
import { runtimeKind } from "./runtime.ts";

const one = <S extends z.ZodType>(schema: S) =>
  z.union([schema.transform((value) => [value]), z.array(schema).min(1).max(64)]);

/** A card by its name, or `machine/card` where several machines have a card of that name. */
const deviceName = () =>
  withFacts(z.string().regex(/^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)?$/), {
    expected: "the name of a GPU, auto or cpu",
    example: "auto",
  });

const KV_TYPES = [
  "auto",
  "f16",
  "bf16",
  "f32",
  "q8_0",
  "q5_1",
  "q5_0",
  "q4_1",
  "q4_0",
  "iq4_nl",
  "fp8",
  "fp8_e4m3",
  "fp8_e5m2",
  "nvfp4",
  "int8",
] as const;

const kvCache = shorthand(
  z.enum(KV_TYPES),
  z.strictObject({
    type: z.enum(KV_TYPES).optional().describe("Type of keys and values.").meta({ default: "auto" }),
    values: z.enum(KV_TYPES).optional().describe("Type of the values, where it differs from the keys'."),
    size: bytes().optional().describe("Memory for the cache; what is left when absent."),
    offload: z.boolean().optional().describe("Keep the cache in main memory.").meta({ default: false }),
    unified: z.boolean().optional().describe("One cache for all parallel requests (llama.cpp)."),
  }),
  (type) => ({ type }),
);

const mount = z
  .strictObject({
    disk: labelName().optional().describe("Disk of the machine."),
    host: path("/var/mnt/data/models").optional().describe("Folder or file of the node."),
    volume: labelName().optional().describe("Named volume (Docker) or claim (Kubernetes)."),
    path: path("models").optional().describe("Folder on the disk or volume; its root when absent."),
    at: path("/models").describe("Where the engine sees it."),
    readOnly: z.boolean().optional().describe("Mount read-only.").meta({ default: true }),
    create: z
      .boolean()
      .optional()
      .describe("Create the folder when it is missing (DirectoryOrCreate).")
      .meta({ default: false }),
    propagation: z
      .enum(["None", "HostToContainer", "Bidirectional"])
      .optional()
      .describe("Mount propagation."),
    size: bytes().optional().describe("Size to ask for when the volume is made."),
  })
  .check(exactlyOne(["disk", "host", "volume"]));

const resources = z.record(
  withFacts(z.string().regex(/^[a-z0-9][a-z0-9./-]*$/i), {
    expected: "a resource name",
    example: "nvidia.com/gpu",
  }),
  z.union([z.string(), z.int()]),
);

const expectation = z.strictObject({
  tokensPerSecond: z.number().positive().optional().describe("Generated tokens per second."),
  promptTokensPerSecond: z.number().positive().optional().describe("Prompt tokens per second."),
  firstToken: duration().optional().describe("Time to the first token."),
  vram: bytes().optional().describe("Memory taken on all its cards together."),
  memory: bytes().optional().describe("Main memory taken."),
  kvTokens: tokens().optional().describe("Tokens that the KV cache holds."),
  concurrency: z.number().positive().optional().describe("Requests of full context that the KV cache holds."),
});

/** One engine with one model: where it runs, what it may take, how it is kept alive. */
export const serviceSchema = z.strictObject({
  model: freeName().optional().describe("Model it serves, by name."),
  engine: one(freeName())
    .optional()
    .describe(
      "Engine, or engines in order: each next one is the fallback of the one before. A kind of engine stands for itself. By the model's format and the runtime when absent.",
    ),
  runtime: runtimeKind().optional().describe("Where it runs, when it differs from the spec's runtime."),
  machine: labelName().optional().describe("Machine it runs on, where there are several."),
  devices: withFacts(
    z.union([
      z.literal("auto").transform(() => ({ kind: "auto" as const })),
      z.literal("cpu").transform(() => ({ kind: "cpu" as const })),
      deviceName().transform((name) => ({ kind: "gpus" as const, gpus: [name] })),
      z
        .array(deviceName())
        .min(1)
        .max(64)
        .transform((gpus) => ({ kind: "gpus" as const, gpus })),
    ]),
    { expected: "auto, cpu, a GPU's name or a list of them", example: "auto" },
  )
    .optional()
    .describe("Cards it runs on: auto lets the planner choose, cpu uses none.")
    .meta({ default: "auto" }),
  role: text("a role", "oracle").optional().describe("What it is for; clients may ask for the role."),
  capabilities: z
    .array(z.enum(CAPABILITIES))
    .optional()
    .describe("What it offers; by its model and engine when absent."),
  replicas: whole(1, 1000, 1)
    .optional()
    .describe("How many of it run.")
    .meta({ default: DEFAULTS.service.replicas }),
  priority: whole(0, 9, 5)
    .optional()
    .describe("9 stays longest when memory runs short, 0 goes first.")
    .meta({ default: DEFAULTS.service.priority }),

  context: autoOrTokens()
    .optional()
    .describe(
      "Tokens one request may use, prompt and answer together; auto takes what fits, up to what the model was trained for.",
    )
    .meta({ default: "auto" }),
  parallel: autoOr(1, 4096, 4)
    .optional()
    .describe("Requests generated at the same time.")
    .meta({ default: "auto" }),
  queue: whole(0, 100_000, 64)
    .optional()
    .describe("Requests that may wait beyond those.")
    .meta({ default: DEFAULTS.service.queue }),
  kvCache: kvCache.optional().describe("KV cache; a text alone is its type.").meta({ default: "auto" }),
  memoryFraction: fraction().optional().describe("Share of each card the engine may take (vLLM, SGLang)."),
  tensorParallel: autoOr(1, 64, 2)
    .optional()
    .describe("Cards that split every layer; they count as N times the smallest.")
    .meta({ default: "auto" }),
  pipelineParallel: autoOr(1, 64, 2)
    .optional()
    .describe("Groups of cards that take layers in turn.")
    .meta({ default: "auto" }),
  dataParallel: whole(1, 64, 2).optional().describe("Copies of the model within one engine."),
  expertParallel: z.boolean().optional().describe("Spread experts over the cards instead of splitting each."),
  tensorSplit: z
    .array(z.number().nonnegative())
    .min(1)
    .max(64)
    .optional()
    .describe("Share of the layers for each card in order (llama.cpp)."),
  gpuLayers: autoOr(0, 10_000, 99)
    .optional()
    .describe("Layers on cards (llama.cpp).")
    .meta({ default: "auto" }),
  cpuMoe: withFacts(z.union([z.boolean(), z.int().min(0).max(10_000)]), {
    expected: "true, false, or a number of layers",
    example: "20",
  })
    .optional()
    .describe("Keep experts in main memory: of all layers, or of the first n."),
  gpuExperts: whole(0, 100_000, 8)
    .optional()
    .describe("Experts of each layer kept on the card (KTransformers)."),
  threads: autoOr(1, 8192, 48).optional().describe("Threads that generate.").meta({ default: "auto" }),
  cpus: cpuSet().optional().describe("CPUs it may use."),
  numaNode: whole(0, 63, 0).optional().describe("NUMA node it is bound to."),
  batch: z
    .strictObject({
      tokens: tokens().optional().describe("Tokens processed in one step."),
      micro: tokens().optional().describe("Tokens computed at once (llama.cpp -ub)."),
    })
    .optional()
    .describe("Batch sizes."),
  flashAttention: withFacts(z.union([z.literal("auto"), z.boolean()]), {
    expected: "true, false or auto",
    example: "auto",
  })
    .optional()
    .describe("Flash attention.")
    .meta({ default: "auto" }),
  cudaGraphs: z
    .boolean()
    .optional()
    .describe("Capture CUDA graphs; false is vLLM's --enforce-eager.")
    .meta({ default: true }),
  weights: z
    .enum(["auto", "mmap", "lock", "read"])
    .optional()
    .describe("How weights are loaded: mapped, mapped and locked, or read into memory.")
    .meta({ default: "auto" }),
  draft: z
    .strictObject({
      model: freeName().describe("Small model that proposes tokens."),
      tokens: whole(1, 64, 4).optional().describe("Tokens proposed at once.").meta({ default: 4 }),
    })
    .optional()
    .describe("Speculative decoding."),
  quantization: text("a quantization method", "compressed-tensors")
    .optional()
    .describe("Quantization method given to the engine."),
  servedName: freeName()
    .optional()
    .describe("Name the engine itself announces; the service's name when absent."),

  port: port().optional().describe("Port it listens on; chosen by the plan when absent."),
  nodePort: port(30001).optional().describe("NodePort on a cluster."),
  hostPort: port(8001).optional().describe("Port published on the host (Docker)."),
  networks: one(networkName()).optional().describe("Networks it is attached to, and no others."),
  shm: bytes().optional().describe("Shared memory (/dev/shm)."),
  memory: bytes().optional().describe("Limit on main memory."),
  resources: z
    .strictObject({
      requests: resources.optional().describe("Requests of the pod, as Kubernetes writes them."),
      limits: resources.optional().describe("Limits of the pod, as Kubernetes writes them."),
    })
    .optional()
    .describe("Resources written to the pod as they are, beside the planned ones."),
  mounts: z.array(mount).max(64).optional().describe("Folders it sees."),
  privileged: z.boolean().optional().describe("Run the container privileged.").meta({ default: false }),

  arguments: z
    .array(z.union([z.string(), z.int(), z.number()]))
    .optional()
    .describe("Extra arguments, after those of the engine."),
  command: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Command of your own instead of the rendered one."),
  environment: environment().optional().describe("Environment variables."),

  takes: z
    .strictObject({
      vram: bytes().optional().describe("Memory on its card."),
      memory: bytes().optional().describe("Main memory."),
    })
    .check(atLeastOne(["vram", "memory"]))
    .optional()
    .describe("Declared memory, for engines that cannot be computed (ComfyUI)."),
  sharing: z
    .enum(["exclusive", "shared", "swap"])
    .optional()
    .describe("May others be on its cards: never, at the same time, or by turns. By the plan when absent."),
  pinned: z.boolean().optional().describe("Never unload it for another.").meta({ default: false }),
  ttl: withFacts(z.union([duration(), z.literal(false)]), {
    expected: "a duration with its unit, or false for never",
    example: "10m",
  })
    .optional()
    .describe("Idle time after which it is unloaded; false never."),
  after: one(labelName()).optional().describe("Services that must be ready before it starts."),
  loadTimeout: duration()
    .optional()
    .describe("Longest start until ready.")
    .meta({ default: DEFAULTS.service.loadTimeout }),
  drainTimeout: duration()
    .optional()
    .describe("Time for running requests before a stop.")
    .meta({ default: DEFAULTS.service.drainTimeout }),
  warmUp: z.boolean().optional().describe("Send one request after each start.").meta({ default: true }),
  strategy: z
    .enum(["recreate", "rolling"])
    .optional()
    .describe("How a changed service is replaced; rolling needs room for two.")
    .meta({ default: DEFAULTS.service.strategy }),
  restart: restartSchema().optional().describe("Restart budget of its own."),
  ladder: ladderSchema().optional().describe("Contingency ladder of its own; false for none."),
  workflows: z
    .record(freeName(), path("workflows/flux-txt2img.json"))
    .optional()
    .describe("ComfyUI workflow templates by the model name that image clients ask for."),
  expect: expectation.optional().describe("What its owner expects; acceptance measures against it."),
  labels: z.record(freeName(), z.string()).optional().describe("Labels of your own."),
});
