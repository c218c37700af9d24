/**
 * JavaScript that ends with 0 when Omni's gateway answers on this port of loopback, for images that hold Node and no curl.
 * A rejection that nobody takes ends Node with 1.
 */
export const healthScript = (port: number, tls = false): string => (tls ? overTls(port) : plain(port));

const plain = (port: number): string =>
  `fetch("http://127.0.0.1:${port}/healthz").then(({ ok, status }) => { if (!ok) throw new Error(status); })`;

/** Its certificate is for the name that clients use, and not for the loopback's address. */
const overTls = (port: number): string =>
  `require("node:https").get({ host: "127.0.0.1", port: ${port}, path: "/healthz", rejectUnauthorized: false }, (answer) => { if (answer.statusCode !== 200) throw new Error(answer.statusCode); answer.resume(); })`;
