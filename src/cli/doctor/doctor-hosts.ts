import { OmniError, nearest } from "../../core/index.ts";
import type { Host } from "../../deployment/index.ts";
import type { Spec } from "../../spec/index.ts";

/** A host to look at: how it is reached, and which machine of the spec it is. */
export interface DoctorHost {
  /** `user@host[:port]`; this machine when absent. */
  readonly destination?: string;
  readonly machine?: Host;
}

/**
 * The hosts that were asked for: an address, a machine of the spec by its name, all machines of the spec, or this one.
 * Throws `OmniError` `doctor.unknown-host`.
 */
export function doctorHosts(spec: Spec | undefined, asked: string | undefined): readonly DoctorHost[] {
  const machines = Object.entries(spec?.machines ?? {}).map(([name, machine]): Host => ({
    ...machine,
    name,
  }));
  if (asked === undefined) return machines.length === 0 ? [{}] : machines.map(reached);
  const address = /^ssh:\/\/(?<destination>[^/\s]+)\/?$/.exec(asked)?.groups?.["destination"];
  if (address !== undefined) {
    const machine = machines.find((one) => isAt(one, address)) ?? onlyOf(machines);
    return [{ destination: address, ...(machine === undefined ? {} : { machine }) }];
  }
  const named = machines.find(({ name }) => name === asked);
  if (named !== undefined) return [reached(named)];
  const names = machines.map(({ name }) => name);
  const near = nearest(asked, names);
  throw new OmniError("doctor.unknown-host", `No machine of the spec is named ${JSON.stringify(asked)}.`, {
    hint:
      near !== undefined
        ? `Did you mean --host ${near}?`
        : names.length === 0
          ? "Give an address: --host ssh://root@192.168.3.10"
          : `One of: ${names.join(", ")}; or ssh://user@host[:port]`,
  });
}

const reached = (machine: Host): DoctorHost => ({
  machine,
  ...(machine.ssh === undefined ? {} : { destination: machine.ssh }),
});

const isAt = ({ ssh, address }: Host, destination: string): boolean =>
  ssh === destination ||
  (address !== undefined && destination.replace(/^.*@/, "").replace(/:\d+$/, "") === address);

const onlyOf = (machines: readonly Host[]): Host | undefined =>
  machines.length === 1 ? machines[0] : undefined;
