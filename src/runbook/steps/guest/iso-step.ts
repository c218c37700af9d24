import { posix } from "node:path";
import { formatBytes, OmniError } from "../../../core/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { TalosGuest } from "../../../render/talos/talos-guest.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step, StepContext } from "../../step.ts";
import { placeOf } from "../metal/host-step.ts";
import { LOOK, lastWords, rootOf } from "../metal/rendered-on-host.ts";
import { carrierOf, talosImage } from "./carried-guest.ts";
import { bytesOnHost, isoOnHost, recordOf } from "./image-on-host.ts";
import type { Iso } from "./image-on-host.ts";

/** Milliseconds: the factory builds an image when it is first asked for, which takes minutes. */
const DOWNLOAD = 60 * 60_000;

/** `iso/GUEST`: the image that the guest is installed from lies where Proxmox looks for it, all of it. */
export function isoStep(own: TalosGuest, input: RunbookInput): Step | undefined {
  const { iso, id } = talosImage(own);
  const carrier = carrierOf(input.deployment, own.name);
  if (carrier === undefined || iso === undefined) return undefined;
  const place = placeOf(carrier.host);
  return {
    id: `iso/${own.name}`,
    phase: "image",
    title: `Installer of ${own.name} on ${carrier.host.name}`,
    asked: `guests.${own.name}.talos`,
    needs: [`schematic/${own.name}`, `host/${carrier.host.name}`],
    inputs: { ...iso, id },
    timeout: DOWNLOAD,
    retries: { times: 5, delay: 15_000 },
    precheck: async (context) => {
      const host = await context.host(place);
      const found = await context.look(host, { argv: ["curl", "--version"], timeout: LOOK });
      if (!found.ended)
        throw new OmniError("host.refused", `${host.name} has no curl to fetch the installer with.`, {
          hint: "On the host: apt-get install curl",
        });
    },
    verify: async (context) => {
      const bytes = await isoOnHost(context, await context.host(place), iso);
      return bytes === undefined
        ? { done: false, missing: `${iso.path} of ${iso.url}` }
        : { done: true, evidence: [`${iso.path}: ${formatBytes(bytes)} (${bytes} bytes)`] };
    },
    apply: async (context) => download(context, await context.host(place), iso),
    preview: [`curl --continue-at - --output ${iso.path} ${iso.url}`],
  };
}

/** Fetched beside its place, by a name of its own for each URL, so that no two images are mixed. */
async function download(context: StepContext, host: HostTransport, iso: Iso): Promise<void> {
  const root = await rootOf(context, host);
  const expected = await announcedBytes(context, host, iso);
  const part = `${root}${posix.dirname(iso.path)}/.${posix.basename(iso.path)}.${tagOf(iso)}.part`;
  await context.run(host, { argv: ["mkdir", "-p", "--", posix.dirname(part)], timeout: LOOK });
  const begun = (await bytesOnHost(context, host, part)) ?? 0;
  if (begun > expected) await context.run(host, { argv: ["rm", "-f", "--", part], timeout: LOOK });
  if (begun !== expected) {
    const options = ["--fail", "--location", "--silent", "--show-error", "--continue-at", "-"];
    const argv = ["curl", ...options, "--output", part, "--", iso.url] as const;
    context.progress({
      done: begun,
      total: expected,
      unit: "bytes",
      text: `${host.name} fetches ${posix.basename(iso.path)}`,
    });
    await context.run(host, { argv, timeout: DOWNLOAD });
  }
  const bytes = await bytesOnHost(context, host, part);
  if (bytes !== expected)
    throw new OmniError(
      "guest.image-factory",
      `${iso.url} has ${expected} bytes, and ${bytes ?? 0} arrived.`,
    );
  // The record first: an ISO without one is fetched again, one that is not whole is never taken for whole.
  await host.writeFile(root + recordOf(iso), `${iso.url} ${expected}\n`, { mode: 0o644 });
  await context.run(host, { argv: ["mv", "-f", "--", part, root + iso.path], timeout: LOOK });
}

const tagOf = ({ url }: Iso): string => /[0-9a-f]{12}/.exec(url)?.[0] ?? "image";

/** Bytes that the factory says the image has. Throws `OmniError` `guest.image-factory`. */
async function announcedBytes(context: StepContext, host: HostTransport, { url }: Iso): Promise<number> {
  const options = ["--fail", "--location", "--silent", "--show-error", "--head"];
  const result = await context.look(host, { argv: ["curl", ...options, "--", url], timeout: DOWNLOAD });
  // One block of headers for each redirect; the last one is the image's.
  const length =
    result.ended && result.code === 0
      ? [...result.stdout.matchAll(/^content-length: *(\d+)/gim)].at(-1)?.[1]
      : undefined;
  if (length !== undefined && Number(length) > 0) return Number(length);
  throw new OmniError("guest.image-factory", `${host.name} cannot fetch ${url}: ${lastWords(result).trim()}`);
}
