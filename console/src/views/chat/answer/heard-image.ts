import type { AnswerTurn, MadeImage, Part } from "../turn.ts";
import { coming } from "./grow.ts";
import { ended, refused } from "./heard-chat.ts";
import { numberIn, parsedObject, textIn } from "./json.ts";

/** The answer after one event of `POST /v1/images/generations`. */
export function heardImage(answer: AnswerTurn, data: string, now: number): AnswerTurn {
  if (data === "[DONE]") return ended({ ...answer, finish: "stop", parts: answer.parts.filter(isMade) });
  const event = parsedObject(data);
  if (event["error"] !== undefined) return refused(answer, event["error"]);
  const type = textIn(event["type"]);
  const bytes = textIn(event["b64_json"]);
  if (bytes === "" || !/\.(?:partial_image|completed)$/.test(type)) return answer;
  const seed = numberIn(event["seed"]);
  const image: MadeImage = {
    source: `data:image/${FORMATS.has(textIn(event["output_format"])) ? textIn(event["output_format"]) : "png"};base64,${bytes}`,
    preview: type.endsWith(".partial_image"),
    ...(seed === undefined ? {} : { seed }),
  };
  // A preview stands where its image will be.
  return coming({ ...answer, parts: [...answer.parts.filter(isMade), { kind: "image", image }] }, now);
}

/** Never SVG: it is a document that may hold more than a picture. */
const FORMATS: ReadonlySet<string> = new Set(["png", "jpeg", "webp", "gif"]);

const isMade = (part: Part): boolean => part.kind !== "image" || !part.image.preview;
