/** Where an engine listens for HTTP: a Unix socket of ours, a TCP port, or a server elsewhere with its base path. */
export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "url";
      /** `https://api.example.com`, without a path. */
      readonly origin: string;
      /** What stands before every path of the dialect, such as `/v1` behind a proxy; empty for none. */
      readonly base: string;
      /** Sent with every request; holds the key, so never shown. */
      readonly headers: Readonly<Record<string, string>>;
    };

/** An address of this machine. */
export type LocalAddress = Exclude<Address, { readonly kind: "url" }>;
