import { z } from "zod";

/** A list that nobody changes: what the server holds may be given as it is. */
export const listOf = <T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> =>
  z.array(item).readonly();

export const text = z.string();
/** Bytes, as a whole number. */
export const bytes = z.number().meta({ description: "bytes" });
/** Milliseconds. */
export const duration = z.number().meta({ description: "milliseconds" });
/** Milliseconds since the epoch. */
export const instant = z.number().meta({ description: "milliseconds since the epoch" });
/** A share of a whole. */
export const share = z.number().meta({ description: "0 to 1" });
export const count = z.number();
