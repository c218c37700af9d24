import { sshTransport } from "../../src/host/transport/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { ProxmoxMachine } from "./proxmox-machine.ts";
import { startSshServer } from "./ssh-server.ts";
import type { SshServer } from "./ssh-server.ts";

/** As `systemctl reboot` of a host that comes up with what it is configured to boot. */
const SYSTEMCTL = `
[ "$1" = reboot ] || exit 1
proc=$OMNI_ROOT/proc
[ ! -f "$FAKE/next-cmdline" ] || cp "$FAKE/next-cmdline" "$proc/cmdline"
[ ! -f "$FAKE/next-kernel" ] || cp "$FAKE/next-kernel" "$proc/sys/kernel/osrelease"
echo "boot-$$" >"$proc/sys/kernel/random/boot_id"
`;

/** A Proxmox host of recording programs behind a real SSH server; a resource for `await using`. */
export interface ProxmoxOverSsh extends AsyncDisposable {
  readonly machine: ProxmoxMachine;
  readonly server: SshServer;
  readonly transport: HostTransport;
}

export async function proxmoxOverSsh(
  environment: Readonly<Record<string, string>> = {},
): Promise<ProxmoxOverSsh> {
  const machine = new ProxmoxMachine();
  machine.program("systemctl", SYSTEMCTL);
  machine.put("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/mapper/pve-root ro quiet\n");
  machine.put("proc/sys/kernel/osrelease", "6.17.2-1-pve\n");
  machine.put("proc/sys/kernel/random/boot_id", "boot-0\n");
  machine.fake("calls", "");
  const server = await startSshServer({
    programs: machine.programs,
    environment: { ...machine.environment, ...environment },
  });
  const transport = sshTransport(server);
  return {
    machine,
    server,
    transport,
    [Symbol.asyncDispose]: async () => {
      await transport.close();
      await server[Symbol.asyncDispose]();
      machine[Symbol.dispose]();
    },
  };
}
