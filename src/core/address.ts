/** Where an engine listens for HTTP: a Unix socket of ours, a TCP port, or a server elsewhere with its base path. */
export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "url";
      /** `https://api.example.com`, without a path. */
      readonly origin: string;
      /** What stands there in the place of `/v1`: `/v1`, `/api/v1`, `/v1beta/openai`. */
      readonly base: string;
      /** Sent with every request; holds the key, so never shown. */
      readonly headers: Readonly<Record<string, string>>;
    };

/** An address of this machine. */
export type LocalAddress = Exclude<Address, { readonly kind: "url" }>;

/** The path at an address for a path of the dialect, `/v1/models`. */
export const pathAt = (address: Address, path: string): string =>
  address.kind === "url" && path.startsWith("/v1/") ? address.base + path.slice("/v1".length) : path;
