/**
 * JavaScript that ends with 0 when Omni's gateway answers on this port of loopback, for images that hold Node and no curl.
 * A rejection that nobody takes ends Node with 1.
 */
export const healthScript = (port: number): string =>
  `fetch("http://127.0.0.1:${port}/healthz").then(({ ok, status }) => { if (!ok) throw new Error(status); })`;
