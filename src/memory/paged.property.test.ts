import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GIB } from "../core/index.ts";
import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import type { DeviceRoom, FitRequest, Wishes } from "./memory-model.ts";
import { memoryModelOf } from "./memory-models.ts";
import { denseShape, inScheme } from "./shapes.fixture.ts";

const KINDS = ["vllm", "triton-vllm", "sglang", "tensorrt-llm"] as const;

const cacheOf = (kind: number, kvHeads: number): LayerCache =>
  [
    { kind: "full", kvHeads, keyLength: 128, valueLength: 128 } as const,
    { kind: "window", window: 1024, kvHeads, keyLength: 128, valueLength: 128 } as const,
    { kind: "latent", rank: 512, rope: 64, indexer: 0 } as const,
    { kind: "state", convolution: 4096, recurrent: 65_536 } as const,
  ][kind] ?? { kind: "full", kvHeads, keyLength: 128, valueLength: 128 };

const shapes: fc.Arbitrary<ModelShape> = fc
  .record({
    layers: fc.integer({ min: 4, max: 40 }),
    hidden: fc.integer({ min: 8, max: 64 }).map((units) => units * 128),
    feedForward: fc.integer({ min: 4, max: 56 }).map((units) => units * 512),
    heads: fc.constantFrom(8, 16, 28, 32, 64),
    kvHeads: fc.constantFrom(1, 2, 4, 8),
    vocabulary: fc.integer({ min: 1000, max: 260_000 }),
    tied: fc.boolean(),
    trainedContext: fc.constantFrom(4096, 32_768, 131_072, 1_048_576),
    often: fc.constantFrom(0, 0, 1, 2, 3),
    rest: fc.constantFrom(0, 0, 1, 3),
    scheme: fc.constantFrom("bf16" as const, "fp8" as const, "w4a16" as const),
  })
  .map(({ often, rest, scheme, ...dimensions }) =>
    inScheme(
      denseShape({
        name: "random",
        headLength: 128,
        ...dimensions,
        caches: (layer) => [cacheOf(layer % 4 === 0 ? often : rest, dimensions.kvHeads)],
      }),
      scheme,
    ),
  );

const cards: fc.Arbitrary<readonly DeviceRoom[]> = fc
  .array(
    fc
      .tuple(
        fc.constantFrom(7.63, 11.57, 23.5, 44.3, 94.97, 139.7),
        fc.double({ min: 0.5, max: 1, noNaN: true }),
      )
      .map(([gib, share]) => ({ total: Math.round(gib * GIB), free: Math.round(gib * share * GIB) })),
    { minLength: 1, maxLength: 4 },
  )
  .map((rooms) => rooms.map((room, index) => ({ name: `gpu${index}`, ...room })));

const wishes: fc.Arbitrary<Wishes> = fc.record(
  {
    contextTokens: fc.integer({ min: 256, max: 200_000 }),
    parallel: fc.integer({ min: 1, max: 512 }),
    memoryFraction: fc.double({ min: 0.2, max: 0.95, noNaN: true }),
    cudaGraphs: fc.boolean(),
    kvKeyType: fc.constantFrom("bf16" as const, "fp8" as const),
  },
  { requiredKeys: [] },
);

const requests: fc.Arbitrary<FitRequest & { readonly shape: ModelShape }> = fc.record({
  shape: shapes,
  wishes,
  devices: cards,
  host: fc.constant({ free: 512 * GIB, threads: 32 }),
});

describe.each(KINDS)("%s on random models and cards", (kind) => {
  const model = memoryModelOf(kind);

  it("fits only within what is free, holds a whole request, and grants what was wished", () => {
    let fitting = 0;
    fc.assert(
      fc.property(requests, (request) => {
        const result = model.fit(request);
        const said = result.fits ? "" : `${result.reason} ${result.hint}`;
        expect(said).not.toMatch(/NaN|undefined|Infinity/);
        if (!result.fits) return;
        fitting++;
        const { devices, kv, settings } = result.prediction;
        for (const [index, device] of devices.entries()) {
          expect(device.total).toBe(device.weights + device.kvCache + device.compute + device.overhead);
          expect(device.total).toBe(device.parts.reduce((sum, part) => sum + part.bytes, 0));
          expect(device.total).toBeLessThanOrEqual(request.devices[index]?.free ?? 0);
          expect(Number.isSafeInteger(device.total)).toBe(true);
        }
        expect(devices.length).toBe(request.devices.length);
        expect(settings.tensorParallel * settings.pipelineParallel).toBe(devices.length);
        expect(kv.concurrency).toBeGreaterThanOrEqual(1);
        expect(settings).toMatchObject(request.wishes);
        expect(settings.contextTokens).toBeLessThanOrEqual(
          request.wishes.contextTokens ?? request.shape.trainedContext,
        );
        expect(model.predict(request.shape, settings, request.devices, request.wishes)).toEqual(
          result.prediction,
        );
      }),
      { numRuns: 200 },
    );
    expect(fitting).toBeGreaterThan(40);
  });

  it("chooses the longest context in steps of 256 up to the trained one", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { contextTokens: _context, ...free } = request.wishes;
        const result = model.fit({ ...request, wishes: free });
        if (!result.fits) return;
        const { settings } = result.prediction;
        const contextTokens = Math.min(settings.contextTokens + 256, request.shape.trainedContext);
        const longer = model.predict(request.shape, { ...settings, contextTokens }, request.devices, free);
        expect(longer.kv.concurrency < 1 || contextTokens === settings.contextTokens).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("serves no more at once with a longer context, and fits a shorter one", () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 4096 }), (request, shorter) => {
        const result = model.fit(request);
        if (!result.fits) return;
        const { settings, kv } = result.prediction;
        const contextTokens = Math.max(1, settings.contextTokens - shorter);
        const less = model.predict(
          request.shape,
          { ...settings, contextTokens },
          request.devices,
          request.wishes,
        );
        expect(less.kv.concurrency).toBeGreaterThanOrEqual(kv.concurrency);
        expect(model.fit({ ...request, wishes: { ...request.wishes, contextTokens } }).fits).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("treats equal cards alike and depends on nothing but its input", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const [card] = request.devices;
        if (card === undefined) return;
        const twins = { ...request, devices: [card, { ...card, name: "twin" }] };
        const wished = { ...twins.wishes, tensorParallel: 2 };
        const result = model.fit({ ...twins, wishes: wished });
        expect(model.fit({ ...twins, wishes: wished })).toEqual(result);
        if (!result.fits) return;
        expect(result.prediction.devices[0]).toEqual(result.prediction.devices[1]);
      }),
      { numRuns: 100 },
    );
  });
});
