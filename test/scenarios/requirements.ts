/**
 * What a node that heals has to come through, and the scenarios on whole nodes that show it. Each scenario asserts what was
 * told and why, what clients saw, and that nothing is left behind. `requirements.test.ts` sees to it that every scenario
 * is there once and that none is without a requirement.
 */
export const REQUIREMENTS = {
  "an engine that is killed: others answer, or clients wait": [
    "kill-with-a-replica",
    "kill-of-the-only-engine",
  ],
  "an engine that hangs is found out": ["hang", "stopped-by-SIGSTOP"],
  "an engine that is healthy but wrong": [
    "one-token-probe-wrong",
    "core-dead-while-health-says-200",
    "exit-0-after-ready",
    "computes-on-the-processor",
  ],
  "streams are never cut without a word": ["stream-cut-and-event-that-is-none"],
  "out of memory: a rung down, and up again": [
    "out-of-memory-at-load",
    "out-of-memory-at-run",
    "model-length-that-vllm-names",
  ],
  "budget, crash loop, next engine of the chain": [
    "crash-loop-moves-to-the-next-engine",
    "no-kernel-image-moves-to-the-next-engine-at-once",
  ],
  "what no restart mends fails at once, with advice": ["wrong-flag", "model-not-found"],
  "a port that somebody else has taken": ["port-stolen", "port-taken-at-start"],
  "starts: one at a time on a card, when memory is really free": [
    "two-vllms-on-one-card-start-one-after-the-other",
    "a-start-waits-until-memory-is-really-free",
    "a-foreign-process-holds-the-card-at-start",
  ],
  "starts: in the order of dependencies": ["start-in-the-order-of-dependencies", "a-dependency-fails"],
  "the ladder: pressure of memory and heat, with hysteresis": [
    "vram-stolen-at-run-and-given-back",
    "overheated-card",
  ],
  "the ladder: others give way, the pinned do not": ["evict-others-spares-the-pinned"],
  "the ladder: prompts and requests go elsewhere": [
    "long-prompts-go-elsewhere",
    "remote-fallback-when-memory-is-stolen",
    "remote-fallback-with-a-key",
  ],
  "faults of cards": ["gpu-lost-and-back", "xid-that-an-engine-caused", "xid-that-is-only-informational"],
  "swap: turns without thrashing, waiting clients": [
    "two-models-take-turns-under-mixed-load",
    "a-client-that-does-not-wait",
    "a-stream-that-waits-hears-comments",
  ],
  "swap: idle unload, sleep, a borrowed card": [
    "idle-unload-and-load-on-request",
    "comfyui-borrows-the-card-and-vllm-sleeps",
  ],
  "orders by hand lose nothing": ["restart-by-hand-under-load", "drain-and-resume-by-hand"],
  "a changed spec: least disruption, shown before": ["changed-spec-with-the-least-disruption"],
  "Omni itself dies": ["omni-killed-and-started-again", "nobody-adopts"],
  "the machine around it": ["disk-full", "clock-jumps"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
