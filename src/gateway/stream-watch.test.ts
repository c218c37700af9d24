import { describe, expect, it } from "vitest";

import { lastEventEnd } from "./event-boundary.ts";
import { errorEventAt, StreamWatch } from "./stream-watch.ts";
import { findUsage } from "./usage.ts";

const watch = (text: string): StreamWatch => {
  const watch = new StreamWatch(false);
  watch.see(Buffer.from(text));
  return watch;
};

describe("event boundary", () => {
  it.each([
    ["data: a\n\n", 9],
    ["data: a\n\ndata: b", 9],
    ["data: a\r\n\r\ndata: b\r\n", 11],
    ["data: a\n", 0],
    ["", 0],
    ["\n\n", 2],
    ["\r\n\r\n", 4],
    ["data: a\ndata: b\n\nx\ny\n", 17],
  ])("ends the last event of %j at %i", (text, end) => {
    expect(lastEventEnd(Buffer.from(text))).toBe(end);
  });
});

describe("stream watch", () => {
  it("knows the two ways a stream says that it is whole", () => {
    expect(watch("data: [DONE]\n\n").whole).toBe(true);
    expect(watch("data:[DONE]\r\n\r\n").whole).toBe(true);
    expect(watch('data: {"choices":[{"finish_reason":"stop"}]}\n\n').whole).toBe(true);
    expect(watch('data: {"choices":[{"finish_reason" : "length"}]}\n\n').whole).toBe(true);
  });
  it("does not believe what the model only talks about", () => {
    expect(
      watch('data: {"choices":[{"delta":{"content":"data: [DONE]"},"finish_reason":null}]}\n\n').whole,
    ).toBe(false);
    expect(watch(`data: ${JSON.stringify({ text: '"finish_reason":"stop"' })}\n\n`).whole).toBe(false);
    expect(
      errorEventAt(Buffer.from(`data: ${JSON.stringify({ text: 'data: {"error":1}' })}\n\n`)),
    ).toBeUndefined();
    expect(watch(": [DONE]\n\n").whole).toBe(false);
  });
  it("sees an engine's own error event and the usage", () => {
    const failed = 'data: {"a":1}\n\ndata: {"error":{"message":"out of memory"}}\n\n';
    expect(errorEventAt(Buffer.from(failed))).toBe(15);
    expect(errorEventAt(Buffer.from(failed.slice(15)))).toBe(0);
    expect(errorEventAt(Buffer.from('event: error\r\ndata: {"type":"error"}\r\n\r\n'))).toBe(0);
    const counted = watch(
      'data: {"usage":null}\n\ndata: {"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n',
    );
    expect(counted.usage).toEqual({ promptTokens: 3, completionTokens: 5 });
  });
});

describe("usage", () => {
  it("takes the last that counts, whatever stands between", () => {
    const text =
      '{"usage":{"prompt_tokens":1},"x":"\\"usage\\":{}","usage" : {"total_tokens":9,"prompt_tokens": 7,"completion_tokens":2}}';
    expect(findUsage(Buffer.from(text))).toEqual({ promptTokens: 7, completionTokens: 2 });
  });
  it("finds none where there is none", () => {
    expect(findUsage(Buffer.from('{"usage":null,"object":"list"}'))).toBeUndefined();
  });
});
