/** The part of the compose specification that Omni writes; values are escaped already. */
export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks?: Readonly<Record<string, ComposeNetwork>>;
  readonly volumes?: Readonly<Record<string, ComposeVolume>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

export interface ComposeService {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly runtime?: string;
  readonly init?: boolean;
  readonly restart?: "unless-stopped" | "no";
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, ComposeDependency>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly ComposeSecretMount[];
  readonly network_mode?: string;
  readonly networks?: readonly string[];
  readonly dns?: readonly string[];
  readonly extra_hosts?: readonly string[];
  readonly ports?: readonly ComposePort[];
  readonly volumes?: readonly ComposeMount[];
  readonly tmpfs?: readonly string[];
  readonly read_only?: boolean;
  readonly devices?: readonly string[];
  readonly deploy?: {
    readonly resources: {
      readonly reservations: { readonly memory?: string; readonly devices: readonly ComposeGpus[] };
    };
  };
  readonly cpuset?: string;
  readonly cpus?: number;
  readonly mem_limit?: string;
  readonly mem_reservation?: string;
  readonly shm_size?: string;
  readonly ulimits?: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: ComposeHealthcheck;
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ComposeDependency {
  readonly condition: "service_healthy";
  /** False: an absent one (its profile is not enabled) holds nobody up. Compose 2.20. */
  readonly required?: false;
}

export interface ComposeSecretMount {
  readonly source: string;
  readonly target?: string;
}

export interface ComposePort {
  readonly target: number;
  readonly published: string;
  readonly host_ip?: string;
  readonly protocol: "tcp";
}

export interface ComposeMount {
  readonly type: "bind" | "volume";
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly create_host_path: boolean; readonly propagation?: string };
  readonly volume?: { readonly subpath: string };
}

/** A request for cards; `capabilities` is what Docker finds the driver by. */
export interface ComposeGpus {
  readonly driver: "nvidia";
  readonly device_ids: readonly string[];
  readonly capabilities: readonly string[];
}

export interface ComposeHealthcheck {
  readonly test: readonly string[];
  readonly interval: string;
  readonly timeout: string;
  readonly retries: number;
  readonly start_period: string;
}

export interface ComposeNetwork {
  readonly name?: string;
  readonly external?: true;
  readonly driver?: string;
  readonly driver_opts?: Readonly<Record<string, string>>;
  readonly attachable?: true;
  readonly internal?: true;
  readonly enable_ipv6?: true;
  readonly ipam?: { readonly config: readonly { readonly subnet: string; readonly gateway?: string }[] };
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ComposeVolume {
  readonly labels?: Readonly<Record<string, string>>;
}
