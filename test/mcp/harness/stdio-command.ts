import { join } from "node:path";

const FIXTURE = join(import.meta.dirname, "../fixture/main.ts");

/** A gateway that speaks over its standard input and output, with the fixture behind it as a program. */
export const STDIO_GATEWAY: readonly string[] = [
  process.execPath,
  join(import.meta.dirname, "stdio-main.ts"),
  JSON.stringify({ behind: { command: [process.execPath, FIXTURE, "--stdio"] } }),
];
