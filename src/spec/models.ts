import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { atMostOne, exactlyOne } from "./scalars/choice.ts";
import type { ScalarFacts } from "./scalars/facts.ts";
import { parsedText } from "./scalars/facts.ts";
import { labelName, path, pattern, text, url } from "./scalars/identities.ts";
import { bytes, sizeOrRange, tokens, whole } from "./scalars/quantities.ts";
import { secret } from "./scalars/secret.ts";

const REPOSITORY = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

interface SourceText {
  readonly file?: string;
  readonly hub?: string;
  readonly disk?: string;
  readonly path?: string;
  readonly builtin?: string;
  readonly revision?: string;
  readonly quantization?: string;
}

/** Where a model comes from, as one text: a path, `hf:owner/repo[:quant][@revision]`, `disk:name/path` or `builtin:name`. */
function parseSource(typed: string): SourceText | undefined {
  const hub = /^hf:([^:@]+)(?::([^@:]+))?(?:@([\w./-]+))?$/.exec(typed);
  if (hub !== null) {
    const [, repository = "", quantization, revision] = hub;
    if (!REPOSITORY.test(repository)) return undefined;
    return {
      hub: repository,
      ...(quantization === undefined ? {} : { quantization }),
      ...(revision === undefined ? {} : { revision }),
    };
  }
  const disk = /^disk:([a-z0-9-]+)\/(.+)$/.exec(typed);
  if (disk !== null) return { disk: disk[1] ?? "", path: disk[2] ?? "" };
  const builtin = /^builtin:([\w.-]+)$/.exec(typed);
  if (builtin !== null) return { builtin: builtin[1] ?? "" };
  if (/^(?:hf|disk|builtin):/.test(typed)) return undefined;
  // A bare word is more often a forgotten prefix than a file in the current folder.
  return /[./]/.test(typed) ? { file: typed } : undefined;
}

const SOURCE: ScalarFacts = {
  expected: "a path (./model.gguf), hf:owner/repo[:quant][@revision], disk:name/path or builtin:omni-demo",
  example: "./model.gguf",
  correct: (typed) => {
    if (/^hf:[^/]+$/.test(String(typed))) return String(typed).replace("hf:", "hf:OWNER/");
    return /^[\w-]+$/.test(String(typed)) ? `./${typed}.gguf` : undefined;
  },
};

const sourceText = () => parsedText(SOURCE, parseSource);

const sourceObject = z
  .strictObject({
    file: path("./model.gguf").optional().describe("File or folder on the node; relative to the spec."),
    hub: text("owner/repo", "unsloth/DeepSeek-V3-GGUF")
      .regex(REPOSITORY)
      .optional()
      .describe("Repository on a model hub."),
    disk: labelName().optional().describe("Disk of the machine that holds it; with path."),
    remote: text("a model name", "kimi-k2")
      .optional()
      .describe("Name of the model at a remote API (engine of a remote kind)."),
    builtin: text("a built-in model", "omni-demo").optional().describe("Model that ships with Omni."),
    quantization: text("a quantization", "Q4_K_M")
      .optional()
      .describe("Quantization whose files are taken from the repository."),
    path: path("models/deepseek-v3-gguf").optional().describe("Path on the disk."),
    revision: text("a revision", "main")
      .optional()
      .describe("Commit, tag or branch of the repository; a commit is reproducible."),
    files: z
      .union([pattern("*Q4_K_M*.gguf").transform((one) => [one]), z.array(pattern("*Q4_K_M*.gguf")).min(1)])
      .optional()
      .describe("Files of the repository, as globs; by quantization when absent."),
    endpoint: url(["https", "http"], "https://huggingface.co")
      .optional()
      .describe("Another hub or a mirror."),
    token: secret().optional().describe("Access token of the hub."),
  })
  .check(exactlyOne(["file", "hub", "disk", "remote", "builtin"]));

/** A source written as one text, or as a map. */
const source = () => shorthand(sourceText(), sourceObject, (source) => source);

const attention = z.enum(["gqa", "mha", "mla", "dsa", "sliding-window", "hybrid", "ssm"]);

const shape = z.strictObject({
  architecture: text("an architecture", "llama")
    .optional()
    .describe("Architecture name as GGUF or config.json gives it."),
  parameters: z
    .union([
      whole(1, 9_000_000_000_000, 70_600_000_000),
      parsedText({ expected: "a number of parameters", example: "671B" }, (t) => {
        const match = /^(\d+(?:\.\d+)?)\s*([MBT])$/.exec(t);
        return match === null
          ? undefined
          : Math.round(Number(match[1]) * (match[2] === "M" ? 1e6 : match[2] === "B" ? 1e9 : 1e12));
      }),
    ])
    .optional()
    .describe("Number of parameters."),
  layers: whole(1, 10_000, 80).describe("Transformer blocks."),
  hidden: whole(1, 1_000_000, 8192).describe("Width of the residual stream."),
  heads: whole(1, 10_000, 64).describe("Attention heads."),
  kvHeads: whole(1, 10_000, 8).optional().describe("Key and value heads; as many as heads when absent."),
  headDim: whole(1, 10_000, 128).optional().describe("Width of a head; hidden / heads when absent."),
  feedForward: whole(1, 10_000_000, 28_672).optional().describe("Width of the feed-forward part."),
  vocabulary: whole(1, 100_000_000, 128_256).describe("Tokens in the vocabulary."),
  attention: attention.optional().describe("Kind of attention.").meta({ default: "gqa" }),
  window: tokens().optional().describe("Sliding window."),
  fullAttentionInterval: whole(1, 1000, 4)
    .optional()
    .describe("Every n-th layer attends fully (hybrid, sliding window)."),
  kvLoraRank: whole(1, 100_000, 512).optional().describe("Width of the compressed keys and values (MLA)."),
  ropeHeadDim: whole(1, 10_000, 64).optional().describe("Width of the rotary part of a head (MLA)."),
  indexerDim: whole(1, 10_000, 128).optional().describe("Width of the indexer's keys (DSA)."),
  experts: z
    .strictObject({
      count: whole(1, 100_000, 256).describe("Routed experts a layer."),
      used: whole(1, 10_000, 8).describe("Experts used for a token."),
      shared: whole(0, 1000, 1).optional().describe("Experts that every token passes.").meta({ default: 0 }),
      feedForward: whole(1, 10_000_000, 2048).optional().describe("Width of one expert."),
      denseLayers: whole(0, 10_000, 3)
        .optional()
        .describe("First layers without experts.")
        .meta({ default: 0 }),
    })
    .optional()
    .describe("Mixture of experts."),
  state: bytes().optional().describe("Recurrent state of one sequence (SSM, hybrid)."),
  tiedEmbeddings: z
    .boolean()
    .optional()
    .describe("Input and output embeddings are one tensor.")
    .meta({ default: false }),
  trainedContext: tokens().optional().describe("Longest context the model was trained for."),
  activation: z
    .enum(["bf16", "f16", "f32"])
    .optional()
    .describe("Type of weights that are not quantized.")
    .meta({ default: "bf16" }),
});

export const CAPABILITIES = [
  "chat",
  "completion",
  "embeddings",
  "rerank",
  "tools",
  "json",
  "vision",
  "audio",
  "image",
  "reasoning",
] as const;

const modelObject = z
  .strictObject({
    source: source().describe("Where the model comes from."),
    quantization: text("a quantization", "Q4_K_M")
      .optional()
      .describe("Quantization of the weights; read from the file when absent."),
    format: z
      .enum(["gguf", "safetensors"])
      .optional()
      .describe("File format; from the file names when absent."),
    family: text("a model name", "DeepSeek-V3")
      .optional()
      .describe("Known model whose shape the catalog carries, for planning without the file."),
    shape: shape.optional().describe("Shape, when it can neither be read nor is in the catalog."),
    size: sizeOrRange()
      .optional()
      .describe("Size of the weights as claimed; checked against the shape and the file."),
    store: z
      .strictObject({
        disk: labelName().optional().describe("Disk that receives the download."),
        path: path("/var/mnt/data/models/deepseek-v3-gguf").describe(
          "Folder that receives the download; on the disk, or absolute.",
        ),
      })
      .optional()
      .describe("Where a download is kept; the shared cache when absent."),
    projector: source().optional().describe("Multimodal projector (mmproj)."),
    adapters: z.array(source()).max(64).optional().describe("LoRA adapters."),
    chatTemplate: path("./template.jinja")
      .optional()
      .describe("Chat template file instead of the model's own."),
    capabilities: z
      .array(z.enum(CAPABILITIES))
      .optional()
      .describe("What the model can do, where its files do not tell."),
    checksum: text("sha256:…", "sha256:…")
      .regex(/^sha256:[0-9a-f]{64}$/)
      .optional()
      .describe("SHA-256 of a single file."),
    license: text("a licence", "MIT").optional().describe("Licence, for the record."),
  })
  .check(atMostOne(["family", "shape"]));

/** Models by name: a text is the source alone. */
export const modelSchema = shorthand(sourceText(), modelObject, (source) => ({ source }));
