/** Codes of hosts: reaching them, looking at them, changing them; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const HOST_CODES = {
  "host.unreachable": entry(
    1,
    "A host cannot be reached or refuses the login.",
    "Check its address, its SSH server and the key; ssh USER@HOST true tells the same by hand.",
  ),
  "host.key-unknown": entry(
    3,
    "The SSH key of a host is not known here, so it may be anybody.",
    "Compare its fingerprint on the host's own console, then add it: ssh-keyscan HOST >> ~/.ssh/known_hosts",
  ),
  "host.key-changed": entry(
    3,
    "A host shows another SSH key than the one that is known here.",
    "If the host was installed anew: ssh-keygen -R HOST, and add the new key. Otherwise somebody stands in between.",
  ),
  "host.command-failed": entry(
    1,
    "A command on a host failed.",
    "Its own words stand in the message; ./omni apply --report keeps all of them.",
  ),
} as const;
