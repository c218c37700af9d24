import { randomUUID } from "node:crypto";

const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's own request id when it is safe to echo into headers and logs, otherwise a new one. */
export const requestId = (sent: string | string[] | undefined): string =>
  typeof sent === "string" && SANE.test(sent) ? sent : `req_${randomUUID()}`;
