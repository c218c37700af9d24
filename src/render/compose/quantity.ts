import { GIB, MIB } from "../../core/index.ts";

/** Bytes as Compose reads them, units being powers of 1024: `32g`, `1536m`, `1000000000b`. */
export function composeBytes(bytes: number): string {
  if (bytes > 0 && bytes % GIB === 0) return `${bytes / GIB}g`;
  if (bytes > 0 && bytes % MIB === 0) return `${bytes / MIB}m`;
  return `${Math.ceil(bytes)}b`;
}

/** Milliseconds as Compose reads them: `20m`, `30s`, `1500ms`. */
export function composeDuration(ms: number): string {
  if (ms > 0 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.ceil(ms)}ms`;
}
