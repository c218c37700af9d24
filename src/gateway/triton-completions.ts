import { DialectError, wireErrorEvent } from "../dialects/index.ts";
import type { Translation } from "../dialects/index.ts";
import {
  notForTriton,
  tritonCompletion,
  TritonCompletionStream,
  tritonGenerateRequest,
} from "../engines/index.ts";

/** Completions in the words of Triton's generate extension, as a translation. */
export const TRITON_COMPLETIONS: Translation = {
  from: "completions",
  to: "completions",
  request(body) {
    const fault = notForTriton(body);
    if (fault !== undefined) throw new DialectError(fault.param, `${fault.why}.`);
    return tritonGenerateRequest(body);
  },
  answer(body, request, identity = {}) {
    const answer = tritonCompletion(body, request, identity);
    if (answer === undefined) throw new DialectError("text_output", "Triton's answer holds no text.");
    return answer;
  },
  stream(request, identity = {}) {
    const stream = new TritonCompletionStream(request, identity);
    return {
      event: (data) => stream.event(data),
      end: () => stream.end(),
      error: (error) => wireErrorEvent("openai", error),
    };
  },
};
