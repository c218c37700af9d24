import { namesIn, readCommandLine } from "../command-line.ts";
import type { Engine, EngineProgram } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import { pass, take } from "../take-memory.ts";
import { torchOutOfMemory } from "../vllm/load-vllm.ts";
import { MIB } from "../../../core/bytes.ts";
import { comfyUiRoutes, upgradeComfyUi } from "./comfyui-routes.ts";

/** Flags of ComfyUI's main.py (comfy/cli_args.py). */
const FLAGS = {
  valued: namesIn(`
  --listen --port --tls-keyfile --tls-certfile --enable-cors-header --max-upload-size --base-directory
  --extra-model-paths-config --output-directory --temp-directory --input-directory --cuda-device --default-device
  --directml --oneapi-device-selector --preview-method --preview-size --cache-lru --cache-ram --reserve-vram
  --default-hashing-function --fast --verbose --front-end-version --front-end-root --user-directory --database-url
  `),
  switches: namesIn(`
  --auto-launch --disable-auto-launch --cuda-malloc --disable-cuda-malloc --force-fp32 --force-fp16 --fp32-unet
  --bf16-unet --fp16-unet --fp8_e4m3fn-unet --fp8_e5m2-unet --fp16-vae --fp32-vae --bf16-vae --cpu-vae
  --fp8_e4m3fn-text-enc --fp16-text-enc --fp32-text-enc --force-channels-last --disable-ipex-optimize
  --cache-classic --cache-none --use-split-cross-attention --use-quad-cross-attention
  --use-pytorch-cross-attention --use-sage-attention --use-flash-attention --disable-xformers
  --force-upcast-attention --dont-upcast-attention --gpu-only --highvram --normalvram --lowvram --novram --cpu
  --async-offload --disable-async-offload --force-non-blocking --disable-smart-memory --deterministic --mmap-torch-files
  --disable-mmap --dont-print-server --quick-test-for-ci --windows-standalone-build --disable-metadata
  --disable-all-custom-nodes --disable-api-nodes --multi-user --log-stdout --enable-compress-response-body
  --supports-fp8-compute --disable-pinned-memory
  `),
};

/** ComfyUI: it loads nothing until a workflow asks for it, and a signal ends it as it ends any program. */
export const comfyuiProgram: EngineProgram = {
  readLine: (words) => readCommandLine(words, FLAGS, true),
  refuse: (_engine, unknown) =>
    new EngineEnd(
      [
        "usage: main.py [-h] [--listen [IP]] [--port PORT] ...",
        `main.py: error: unrecognized arguments: ${unknown.join(" ")}`,
      ],
      2,
    ),
  listensAtOnce: false,
  load,
  readyLines: ({ settings: { address } }) => [
    "Starting server",
    "",
    `To see the GUI go to: ${address.kind === "unix" ? address.path : `http://${address.host}:${address.port}`}`,
  ],
  routes: comfyUiRoutes,
  upgrade: upgradeComfyUi,
  notFound: { error: "Not Found" },
  headers: { server: "Python/3.12 aiohttp/3.13.2" },
  portBusy: ({ settings: { address } }) =>
    new EngineEnd(
      [
        `OSError: [Errno 98] error while attempting to bind on address ('${address.kind === "unix" ? address.path : `${address.host}', ${address.port}`}): address already in use`,
      ],
      1,
    ),
  // The next step of a workflow meets it; the process goes on.
  outOfMemoryAtRun: () => {},
  cardLost: (engine) =>
    engine.end(new EngineEnd(["RuntimeError: CUDA error: unspecified launch failure"], 1)),
  coreDead: (engine) => engine.work.die(),
  stopLines: undefined,
};

async function load(engine: Engine): Promise<void> {
  const { faults, cards, board, say, settings } = engine;
  const lost = cards.length > 0 && cards.every((uuid) => board?.state(uuid).lost !== undefined);
  if (lost && faults.find("on-processor") === undefined) faults.add({ name: "on-processor" });
  say("Checkpoint files will always be loaded safely.");
  await pass(engine, engine.loadTime / 2);
  if (faults.take("no-kernel") !== undefined)
    throw new EngineEnd(
      ["RuntimeError: CUDA error: no kernel image is available for execution on the device"],
      1,
    );
  if (faults.take("oom-at-load") !== undefined)
    throw new EngineEnd([torchOutOfMemory(engine, 0, settings.memory[cards[0] ?? "cpu"]?.overhead ?? 0)], 1);
  const onProcessor = faults.find("on-processor") !== undefined || cards.length === 0;
  for (const uuid of cards)
    take(
      engine,
      uuid,
      "overhead",
      settings.memory[uuid]?.overhead ?? 0,
      (card, bytes) => new EngineEnd([torchOutOfMemory(engine, Math.max(0, card), bytes)], 1),
    );
  const card = board?.cards.find(({ uuid }) => uuid === cards[0]);
  const vram = onProcessor ? 0 : Math.round(((card?.memoryTotal ?? 0) - (card?.reserved ?? 0)) / MIB);
  say(`Total VRAM ${vram} MB, total RAM 257602 MB`);
  say("pytorch version: 2.9.0+cu130");
  say(onProcessor ? "Set vram state to: DISABLED" : "Set vram state to: NORMAL_VRAM");
  say(onProcessor ? "Device: cpu" : `Device: cuda:0 ${card?.name ?? ""} : cudaMallocAsync`);
  await pass(engine, engine.loadTime / 2);
}
