/** Where a process of ours listens for HTTP: a Unix socket of ours, or a TCP port on loopback. */
export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };
