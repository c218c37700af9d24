import { guestsHere } from "../scope.ts";
import type { Check, DoctorSubject } from "../check.ts";
import { saidText } from "../said.ts";
import { registriesOf } from "./registries.ts";

const ID = "network.proxy";

/** Variables that send requests through a proxy, and what is kept from it. */
export const proxyVariables: Check = {
  id: ID,
  title: "Proxy variables",
  look: async (subject) => {
    const text = await saidText(subject.view, ["env"]);
    const values = new Map(
      (text ?? "").split("\n").map((line) => {
        const cut = line.indexOf("=");
        return [line.slice(0, cut).toLowerCase(), line.slice(cut + 1)] as const;
      }),
    );
    const set = ["http_proxy", "https_proxy", "all_proxy"].filter((name) => (values.get(name) ?? "") !== "");
    if (set.length === 0) return [];
    const kept = (values.get("no_proxy") ?? "").split(",").map((part) => part.trim());
    const missing = innerHosts(subject).filter((host) => !isKept(host, kept));
    const seen = set
      .map((name) => `${name.toUpperCase()}=${withoutLogin(values.get(name) ?? "")}`)
      .join(", ");
    if (missing.length === 0)
      return [{ check: ID, state: "note", seen: `${seen}; what is near is kept from it` }];
    return [
      {
        check: ID,
        state: "warning",
        seen: `${seen}; NO_PROXY lacks ${missing.join(", ")}`,
        wanted: "addresses of this network in NO_PROXY",
        why: "Requests to engines and the local registry go to a proxy that cannot reach them.",
        remedy: `export NO_PROXY=${[...kept.filter((part) => part !== ""), ...missing].join(",")}`,
      },
    ];
  },
};

/** The loopback, and what the spec names of its own network. */
const innerHosts = (subject: DoctorSubject): readonly string[] => [
  ...new Set([
    "localhost",
    "127.0.0.1",
    ...(subject.host?.address === undefined ? [] : [subject.host.address]),
    ...guestsHere(subject).flatMap(({ address }) => (address === undefined ? [] : [address])),
    ...registriesOf(subject).flatMap(({ address, path }) =>
      path === undefined ? [] : [address.replace(/:\d+$/, "")],
    ),
  ]),
];

const isKept = (host: string, kept: readonly string[]): boolean =>
  kept.some((part) => part === "*" || part === host || (part.startsWith(".") && host.endsWith(part)));

const withoutLogin = (url: string): string => url.replace(/\/\/[^@/]*@/, "//…@");
