import { ApiError } from "../../../api/api-error.ts";

/** Pixels of the longer side: models look at no more, and a request has room for several. */
const LONGEST = 1536;
/** Bytes of a file that is read at all. */
const MOST_BYTES = 50 * 1024 * 1024;
/** Characters of the `data:` URL that goes with the request. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** How large a picture is drawn: as it is, or its longer side at the most that is sent. */
export function drawnSize(width: number, height: number, longest = LONGEST): readonly [number, number] {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** The picture as a `data:` URL, made smaller where it is large; without what its camera wrote into it. Rejects with `ApiError` for what is no picture. */
export async function shrinkImage(file: File): Promise<string> {
  if (file.size > MOST_BYTES) throw new ApiError(0, "image_too_large", `${file.name} is larger than 50 MiB.`);
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new ApiError(0, "invalid_image", `${file.name} is no picture that this browser can read.`);
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = drawnSize(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  if (context === null) throw new ApiError(0, "no_canvas", "This browser cannot draw pictures.");
  // JPEG has no transparency: what is clear would become black.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const url = canvas.toDataURL("image/jpeg", 0.9);
  if (url.length > MOST_CHARACTERS)
    throw new ApiError(0, "image_too_large", `${file.name} is still larger than 4 MiB when made smaller.`);
  return url;
}
