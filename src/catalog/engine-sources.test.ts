import { describe, expect, it } from "vitest";
import {
  CUDA_BASES,
  ENGINE_SOURCES,
  findEngineKind,
  INERT_BUILD_SETTINGS,
  MONITORING_IMAGES,
  NODE_BASE,
} from "./index.ts";

describe("pins", () => {
  it("are whole commits of known kinds, each once", () => {
    for (const { kind, commit, tag, tagOf, versions, date } of ENGINE_SOURCES) {
      expect([kind, findEngineKind(kind)?.name]).toEqual([kind, kind]);
      expect([kind, commit]).toEqual([kind, expect.stringMatching(/^[0-9a-f]{40}$/)]);
      expect([kind, tagOf(versions[0])]).toEqual([kind, tag]);
      expect(date).toMatch(/^2026-\d\d-\d\d$/);
    }
    expect(new Set(ENGINE_SOURCES.map(({ kind }) => kind)).size).toBe(ENGINE_SOURCES.length);
    expect(ENGINE_SOURCES.find(({ kind }) => kind === "llama.cpp")?.tagOf("b9000")).toBe("b9000");
    for (const { kind } of INERT_BUILD_SETTINGS) expect(findEngineKind(kind)?.name).toBe(kind);
  });

  it("are images with tag and digest", () => {
    const { prometheus, nodeExporter, dcgmExporter } = MONITORING_IMAGES;
    const images = [
      ...CUDA_BASES.flatMap(({ devel, runtime }) => [devel, runtime]),
      NODE_BASE.image,
      prometheus,
      nodeExporter,
      dcgmExporter,
    ];
    for (const image of images) expect(image).toMatch(/^[a-z.]+\/[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
    expect(new Set(images).size).toBe(images.length);
  });
});
