import type { Call } from "../http.ts";
import { sendJson } from "../http.ts";

/** `POST /upload/image`: keeps a form's image under the name that LoadImage takes. */
export async function uploadImage(uploads: Map<string, Buffer>, call: Call): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of call.request) chunks.push(Buffer.from(chunk));
  const type = call.request.headers["content-type"] ?? "";
  const sent = new Response(Buffer.concat(chunks), { headers: { "content-type": type } });
  const form = await sent.formData().catch(() => new FormData());
  const image = form.get("image");
  if (image === null || typeof image === "string") {
    call.response.writeHead(400, { "content-length": 0 }).end();
    return;
  }
  const text = (name: string): string => {
    const value = form.get(name);
    return typeof value === "string" ? value : "";
  };
  const [subfolder, kind] = [text("subfolder"), text("type") || "input"];
  const path = subfolder === "" ? image.name : `${subfolder}/${image.name}`;
  uploads.set(kind === "input" ? path : `${path} [${kind}]`, Buffer.from(await image.arrayBuffer()));
  sendJson(call, 200, { name: image.name, subfolder, type: kind });
}
