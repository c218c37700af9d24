import { describe, expect, it } from "vitest";
import { Graph } from "./llama-cpp-graph.ts";

describe("the buffer of a graph", () => {
  it("is as large as what lives at the same time", () => {
    const graph = new Graph();
    const a = graph.result(1024);
    const b = graph.result(2048, a);
    const c = graph.result(1024, b);
    graph.read(c);
    // c takes the place of a, which was read for the last time when b was made.
    expect(graph.bufferBytes()).toBe(3072);
  });

  it("works in the place of an operand that nobody else reads", () => {
    const graph = new Graph();
    const a = graph.result(4096);
    graph.read(graph.inPlace(4096, a));
    expect(graph.bufferBytes()).toBe(4096);
  });

  it("does not overwrite an operand that is read again", () => {
    const graph = new Graph();
    const a = graph.result(4096);
    const b = graph.inPlace(4096, a);
    graph.read(a, b);
    expect(graph.bufferBytes()).toBe(8192);
  });

  it("never frees what is kept", () => {
    const graph = new Graph();
    graph.kept(1024);
    const a = graph.result(1024);
    graph.read(a);
    graph.read(graph.result(1024));
    expect(graph.bufferBytes()).toBe(2048);
  });

  it("takes the smallest hole that fits and leaves the large one", () => {
    const graph = new Graph();
    const large = graph.result(4096);
    const between = graph.result(128);
    const small = graph.result(1024);
    const end = graph.result(128);
    graph.read(large, small);
    const inSmall = graph.result(1024);
    const inLarge = graph.result(4096);
    graph.read(between, end, inSmall, inLarge);
    expect(graph.bufferBytes()).toBe(4096 + 128 + 1024 + 128);
  });

  it("begins every value on a multiple of 128 bytes", () => {
    const graph = new Graph();
    const values = [graph.result(1), graph.result(129), graph.result(1)];
    graph.read(...values);
    expect(graph.bufferBytes()).toBe(128 + 256 + 128);
  });
});
