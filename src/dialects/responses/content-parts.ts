import type { JsonObject } from "../dialect.ts";
import { optionalText, requireList, requireObject, requireText, shown } from "../fields.ts";
import { DialectError } from "../translation.ts";

/** The content of a message or of a function's output as that of a chat message: text alone is a string. */
export function chatContent(content: unknown, param: string): string | JsonObject[] {
  if (typeof content === "string") return content;
  const parts = requireList(content, param, "a string or a list of parts").map((part, at) =>
    chatPart(requireObject(part, `${param}[${at}]`, "a part"), `${param}[${at}]`),
  );
  const texts = parts.flatMap((part) => (typeof part["text"] === "string" ? [part["text"]] : []));
  return texts.length === parts.length && texts.length <= 1 ? (texts[0] ?? "") : parts;
}

/** Text of a content, where nothing else can stand: parts of text are joined. */
export function chatText(content: unknown, param: string): string {
  const parts = chatContent(content, param);
  if (typeof parts === "string") return parts;
  return parts
    .map((part, at) =>
      requireText(part["text"], `${param}[${at}].text`, "text, as nothing else can stand here"),
    )
    .join("");
}

function chatPart(part: JsonObject, param: string): JsonObject {
  switch (part["type"]) {
    case "input_text":
    case "output_text":
    case "text":
    case "summary_text":
    case "reasoning_text":
      return { type: "text", text: requireText(part["text"], `${param}.text`) };
    case "refusal":
      return { type: "text", text: requireText(part["refusal"], `${param}.refusal`) };
    case "input_image":
      return { type: "image_url", image_url: imagePart(part, param) };
    case "input_file":
      return filePart(part, param);
    case "input_audio":
      return { type: "input_audio", input_audio: requireObject(part["input_audio"], `${param}.input_audio`) };
    default:
      throw new DialectError(
        `${param}.type`,
        `${param}.type: expected "input_text", "output_text", "refusal", "input_image", "input_audio" or "input_file", found ${shown(part["type"])}.`,
      );
  }
}

function imagePart(part: JsonObject, param: string): JsonObject {
  const url = optionalText(part["image_url"], `${param}.image_url`);
  if (url === undefined) {
    throw new DialectError(
      `${param}.image_url`,
      `${param}.image_url: expected a URL or a data URL; files that were uploaded to a provider are not here.`,
    );
  }
  const detail = optionalText(part["detail"], `${param}.detail`);
  return detail === undefined || detail === "auto" ? { url } : { url, detail };
}

const TEXT_FILE = /^data:(?:text\/[\w.+-]+|application\/json)(?:;charset=[\w-]+)?;base64,/i;

/** Files are read where they are text; for everything else there is no counterpart in a chat. */
function filePart(part: JsonObject, param: string): JsonObject {
  const name = optionalText(part["filename"], `${param}.filename`) ?? "the file";
  const data = optionalText(part["file_data"], `${param}.file_data`);
  const head = data === undefined ? null : TEXT_FILE.exec(data);
  if (data === undefined || head === null) {
    throw new DialectError(
      param,
      `${param}: ${shown(name)} is no text in file_data (text/* as base64), and this engine reads text and images only. Send its text.`,
    );
  }
  const text = Buffer.from(data.slice(head[0].length), "base64").toString("utf8");
  return { type: "text", text: `${name}\n\n${text}` };
}
