/** What a page of the console may load and be: everything of this node alone, nothing within a page, no frame around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Abilities of a browser that the console never asks for. */
const DENIED = [
  "camera",
  "display-capture",
  "geolocation",
  "microphone",
  "payment",
  "serial",
  "usb",
  "xr-spatial-tracking",
];

/** Flat headers of everything that a browser gets of the console. */
export const SECURITY_HEADERS: readonly string[] = [
  "content-security-policy",
  POLICY,
  "x-content-type-options",
  "nosniff",
  "referrer-policy",
  "no-referrer",
  "cross-origin-opener-policy",
  "same-origin",
  "cross-origin-resource-policy",
  "same-origin",
  "permissions-policy",
  DENIED.map((name) => `${name}=()`).join(", "),
];
