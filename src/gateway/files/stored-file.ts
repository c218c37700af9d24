import { z } from "zod";

const storedFile = z.strictObject({
  id: z.string(),
  bytes: z.int(),
  /** Seconds since the epoch, as is `expiresAt`. */
  createdAt: z.int(),
  filename: z.string(),
  purpose: z.string(),
  /** Name of the key that it belongs to. */
  owner: z.string(),
  expiresAt: z.int(),
});

/** What is known of a kept file. */
export type StoredFile = Readonly<z.output<typeof storedFile>>;

/** The record in a text; `undefined` for what another version or a fault of the disk wrote. */
export function storedFileFrom(text: string): StoredFile | undefined {
  try {
    return storedFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A file as clients of the OpenAI dialect see it. */
export const fileObject = (file: StoredFile): Record<string, unknown> => ({
  id: file.id,
  object: "file",
  bytes: file.bytes,
  created_at: file.createdAt,
  expires_at: file.expiresAt,
  filename: file.filename,
  purpose: file.purpose,
  status: "processed",
});
